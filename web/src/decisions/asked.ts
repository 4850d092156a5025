/** Which decisions the address asks for. */
export interface Asked {
  component: string;
  /** Half-open window in epoch milliseconds. */
  from: number;
  to: number;
  filters: Condition[];
  /** Token of the page; empty for the first. */
  page: string;
}

export interface Condition {
  dimension: string;
  value: string;
}

/** Why an address was refused: the parameter and the rule. */
export class UnfitAddress extends Error {}

/**
 * Reads `?component=&from=&to=&filter=DIMENSION=VALUE&page=`, as evidence links to it. Throws an `UnfitAddress` that names the
 * parameter.
 */
export function parseAsked(search: string): Asked {
  const parameters = new URLSearchParams(search);
  const instant = (name: string): number => {
    const text = parameters.get(name) ?? "";
    const time = /^\d{4}-\d{2}-\d{2}(T[\d:.]+Z)?$/.test(text) ? Date.parse(text) : Number.NaN;
    if (Number.isNaN(time))
      throw new UnfitAddress(`${name} must be a date or a time in UTC, like 2026-01-05T14:00:00Z; it is “${text}”`);
    return time;
  };
  const [from, to] = [instant("from"), instant("to")];
  if (from >= to) throw new UnfitAddress("to must be after from");
  const filters = parameters.getAll("filter").map((text) => {
    const at = text.indexOf("=");
    if (at < 1) throw new UnfitAddress(`filter must be DIMENSION=VALUE; it is “${text}”`);
    return { dimension: text.slice(0, at), value: text.slice(at + 1) };
  });
  return { component: parameters.get("component") ?? "", from, to, filters, page: parameters.get("page") ?? "" };
}

/** The event that the address names; empty on the list. */
export const eventOf = (search: string): string => new URLSearchParams(search).get("event") ?? "";

/** The query string with a parameter set otherwise; an empty one is taken out. */
function alter(search: string, name: string, value: string): string {
  const parameters = new URLSearchParams(search);
  if (value) parameters.set(name, value);
  else parameters.delete(name);
  const text = parameters.toString();
  return `/decisions${text && `?${text}`}`;
}

/** The address of one decision, from which the list leads back. */
export const addressOfDecision = (eventId: string, search: string): string => alter(search, "event", eventId);

/** The address of the list that an address of a decision came from. */
export const addressOfList = (search: string): string => alter(search, "event", "");

/** The address of a page of the list; the first where there is no token. */
export const addressOfPage = (search: string, token: string): string => alter(search, "page", token);
