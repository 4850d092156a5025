import { Link } from "../link";
import { useTheme } from "../theme";

const PAGES = [
  { page: "overview", title: "Overview", address: "/" },
  { page: "tickets", title: "Tickets and impact", address: "/tickets" },
] as const;

/** The product's name, the pages and the theme's switch. A page that only links lead to is none of these. */
export function Header({ page }: { page: (typeof PAGES)[number]["page"] | "decisions" }) {
  const [theme, choose] = useTheme();
  const other = theme === "dark" ? "light" : "dark";
  return (
    <header class="top">
      <a class="brand" href="/">
        <svg viewBox="0 0 32 32" width="22" height="22" aria-hidden="true">
          <rect width="32" height="32" rx="7" />
          <path d="M6 23l7-7 5 4 8-11" />
        </svg>
        <span>Kaizen</span>
      </a>
      <nav aria-label="Pages">
        {PAGES.map((it) => (
          <Link key={it.page} to={it.address} current={it.page === page ? "page" : undefined}>
            {it.title}
          </Link>
        ))}
      </nav>
      <button type="button" class="quiet" id="theme" onClick={() => choose(other)}>
        {other === "dark" ? "Dark" : "Light"} theme
      </button>
    </header>
  );
}
