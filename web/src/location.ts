import { useEffect, useState } from "preact/hooks";

const MOVED = "kaizen:moved";

/** The query string of the page's address, following back, forward and `visit`. */
export function useSearch(): string {
  const [search, setSearch] = useState(location.search);
  useEffect(() => {
    const follow = () => setSearch(location.search);
    addEventListener("popstate", follow);
    addEventListener(MOVED, follow);
    return () => {
      removeEventListener("popstate", follow);
      removeEventListener(MOVED, follow);
    };
  }, []);
  return search;
}

/** Goes to the query string, leaving the present one in the history. */
export function visit(search: string): void {
  if (search === location.search) return;
  history.pushState(null, "", search || location.pathname);
  dispatchEvent(new Event(MOVED));
}
