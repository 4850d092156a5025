import { useEffect, useState } from "preact/hooks";

export type Theme = "light" | "dark";

const KEY = "kaizen.theme";
const CHANGED = "kaizen:theme";
const system = matchMedia("(prefers-color-scheme: dark)");

/** The theme in force: the one the user chose, else the system's. */
const current = (): Theme => {
  const chosen = document.documentElement.dataset.theme;
  return chosen === "light" || chosen === "dark" ? chosen : system.matches ? "dark" : "light";
};

/** The theme in force, and how to choose another, kept for the next visit. */
export function useTheme(): [Theme, (theme: Theme) => void] {
  const [theme, setTheme] = useState(current);
  useEffect(() => {
    const follow = () => setTheme(current());
    system.addEventListener("change", follow);
    addEventListener(CHANGED, follow);
    return () => {
      system.removeEventListener("change", follow);
      removeEventListener(CHANGED, follow);
    };
  }, []);
  return [theme, choose];
}

function choose(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(KEY, theme);
  } catch {
    // Storage is refused in this browser: the choice holds until the page is left.
  }
  dispatchEvent(new Event(CHANGED));
}
