import { TicketState } from "../gen/kaizen/tracker/v1/tracker_pb";

/** Which tickets the address asks for. What is empty filters nothing. */
export interface Asked {
  states: TicketState[];
  category: string;
  owner: string;
  text: string;
  order: Order;
  /** Token of the page; empty for the first. */
  page: string;
}

/** Orders as the address names them, the first one when it names none. */
export const ORDERS = {
  newest: "create_time desc",
  oldest: "create_time",
  changed: "update_time desc",
  due: "due_date",
} as const;
export type Order = keyof typeof ORDERS;

/** Orders for people. */
export const ORDER_TITLES: Record<Order, string> = {
  newest: "newest first",
  oldest: "oldest first",
  changed: "last changed first",
  due: "due first",
};

/** Every state, as the address names it. */
export const STATES = new Map<string, TicketState>(
  Object.values(TicketState)
    .filter((it): it is TicketState => typeof it === "number" && it !== TicketState.UNSPECIFIED)
    .map((state) => [TicketState[state].toLowerCase(), state]),
);

/** Why an address was refused: the parameter and the rule. */
export class UnfitAddress extends Error {}

/** Days after a change for which it is measured when the address does not say. */
export const DAYS = 14;
const MOST_DAYS = 366;

/** Reads the filters of the list. Throws an `UnfitAddress` that names the parameter. */
export function parseAsked(search: string): Asked {
  const parameters = new URLSearchParams(search);
  const states = parameters.getAll("state").map((name) => {
    const state = STATES.get(name);
    if (state === undefined)
      throw new UnfitAddress(`state must be one of ${[...STATES.keys()].join(", ")}; it is “${name}”`);
    return state;
  });
  const order = parameters.get("order") ?? "newest";
  if (!Object.hasOwn(ORDERS, order))
    throw new UnfitAddress(`order must be one of ${Object.keys(ORDERS).join(", ")}; it is “${order}”`);
  const of = (name: string) => parameters.get(name) ?? "";
  return {
    states,
    category: of("category"),
    owner: of("owner"),
    text: of("text"),
    order: order as Order,
    page: of("page"),
  };
}

/** What of one ticket is shown: the measurement that is kept under an identity, or one made now over so many days. */
export interface Shown {
  days: number;
  measurement: string;
}

/** Reads what of a ticket is shown. Throws an `UnfitAddress` that names the parameter. */
export function parseShown(search: string): Shown {
  const parameters = new URLSearchParams(search);
  const text = parameters.get("days") ?? String(DAYS);
  const days = Number(text);
  if (!Number.isInteger(days) || days < 1 || days > MOST_DAYS) {
    throw new UnfitAddress(`days must be a whole number from 1 to ${MOST_DAYS}; it is “${text}”`);
  }
  return { days, measurement: parameters.get("measurement") ?? "" };
}

/** The query string with some parameters set otherwise; an empty one is taken out. */
export function alter(search: string, changes: Record<string, string>): string {
  const parameters = new URLSearchParams(search);
  for (const [name, value] of Object.entries(changes)) {
    if (value) parameters.set(name, value);
    else parameters.delete(name);
  }
  const text = parameters.toString();
  return text && `?${text}`;
}

/** Parameters of the page of one ticket, which mean nothing to the list. */
const OF_TICKET = { days: "", measurement: "" };

/** The address of a ticket, from which the filters lead back. */
export const addressOfTicket = (id: string, search: string): string =>
  `/tickets/${encodeURIComponent(id)}${alter(search, OF_TICKET)}`;

/** The address of a ticket that shows this of it, from which the filters lead back. */
export function addressOfShown(id: string, search: string, { days, measurement }: Shown): string {
  const told = { days: days === DAYS ? "" : String(days), measurement };
  return `/tickets/${encodeURIComponent(id)}${alter(search, told)}`;
}

/** The address of the list with the filters of an address. */
export const addressOfList = (search: string): string => `/tickets${alter(search, OF_TICKET)}`;

/** The ticket that a path names; absent on the list. */
export function ticketOf(path: string): string | undefined {
  const [, name] = /^\/tickets\/([^/]+)$/.exec(path) ?? [];
  try {
    return name && decodeURIComponent(name);
  } catch {
    // No address of a ticket has half an escape: the service will say that there is none of that name.
    return name;
  }
}
