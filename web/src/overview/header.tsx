import { useTheme } from "../theme";

/** The product's name and the theme's switch. */
export function Header() {
  const [theme, choose] = useTheme();
  const other = theme === "dark" ? "light" : "dark";
  return (
    <header class="top">
      <a class="brand" href="/">
        <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
          <rect width="32" height="32" rx="7" />
          <path d="M6 23l7-7 5 4 8-11" />
        </svg>
        Kaizen
      </a>
      <nav aria-label="Pages">
        <a href="/" aria-current="page">
          Overview
        </a>
      </nav>
      <button type="button" class="quiet" id="theme" onClick={() => choose(other)}>
        {other === "dark" ? "Dark" : "Light"} theme
      </button>
    </header>
  );
}
