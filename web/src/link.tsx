import type { ComponentChildren } from "preact";
import { follow } from "./location";

interface Props {
  /** A query string of this page, or a path with one. */
  to: string;
  current?: "page" | "true" | undefined;
  children: ComponentChildren;
}

/** A link within the dashboard: followed without loading it anew. */
export function Link({ to, current, children }: Props) {
  return (
    <a href={to} aria-current={current} onClick={(event) => follow(event, to)}>
      {children}
    </a>
  );
}

/** A link that leaves the dashboard; plain text where it leads nowhere that a browser may be sent. */
export function Outside({ url, children }: { url: string; children: ComponentChildren }) {
  if (!/^https?:\/\//.test(url)) return <>{children}</>;
  return (
    <a href={url} rel="noreferrer">
      {children}
    </a>
  );
}
