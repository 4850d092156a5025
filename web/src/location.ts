import { useEffect, useState } from "preact/hooks";

const MOVED = "kaizen:moved";

/** Where the page is: the path and the query string of its address. */
export interface Place {
  path: string;
  search: string;
}

const here = (): Place => ({ path: location.pathname, search: location.search });

/** The page's address, following back, forward and `visit`. */
export function usePlace(): Place {
  const [place, setPlace] = useState(here);
  useEffect(() => {
    const follow = () => setPlace(here());
    addEventListener("popstate", follow);
    addEventListener(MOVED, follow);
    return () => {
      removeEventListener("popstate", follow);
      removeEventListener(MOVED, follow);
    };
  }, []);
  return place;
}

/** The query string of the page's address. */
export const useSearch = (): string => usePlace().search;

/** Names the page in the browser's tab and history. */
export function useTitle(title: string): void {
  useEffect(() => {
    document.title = `${title} · Kaizen`;
  }, [title]);
}

/**
 * Goes to a query string of this page, or to a path with one, leaving the present address in the history. Another page
 * begins at its top, for the keyboard too.
 */
export function visit(to: string): void {
  const target = new URL(to || location.pathname, location.href);
  if (target.href === location.href) return;
  const isOtherPage = target.pathname !== location.pathname;
  history.pushState(null, "", target);
  dispatchEvent(new Event(MOVED));
  if (isOtherPage) {
    scrollTo({ top: 0, behavior: "instant" });
    document.getElementById("main")?.focus({ preventScroll: true });
  }
}

/** Follows a link within the page; with a modifier key the browser does what it always does. */
export function follow(event: MouseEvent, to: string): void {
  if (event.metaKey || event.ctrlKey || event.shiftKey || event.button !== 0) return;
  event.preventDefault();
  visit(to);
}
