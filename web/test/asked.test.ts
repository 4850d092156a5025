import { describe, expect, test } from "vitest";
import { TicketState } from "../src/gen/kaizen/tracker/v1/tracker_pb";
import {
  addressOfList,
  addressOfShown,
  addressOfTicket,
  alter,
  parseAsked,
  parseShown,
  ticketOf,
} from "../src/tickets/asked";

describe("which tickets the address asks for", () => {
  test("all of it is read", () => {
    expect(parseAsked("?state=proposed&state=no_effect&category=crm&owner=anna&text=a+b&order=due&page=x%3D")).toEqual({
      states: [TicketState.PROPOSED, TicketState.NO_EFFECT],
      category: "crm",
      owner: "anna",
      text: "a b",
      order: "due",
      page: "x=",
    });
  });

  test("an address without filters asks for all, the newest first", () => {
    expect(parseAsked("")).toEqual({ states: [], category: "", owner: "", text: "", order: "newest", page: "" });
  });

  test.each([
    ["?state=unspecified", "state must be one of proposed"],
    ["?state=Proposed", "state must be one of proposed"],
    ["?order=toString", "order must be one of newest, oldest, changed, due"],
  ])("%s is refused with the parameter at fault", (search, reason) => {
    expect(() => parseAsked(search)).toThrow(reason);
  });
});

describe("what of a ticket is shown", () => {
  test("a measurement made now over 14 days, unless the address says otherwise", () => {
    expect(parseShown("?owner=anna")).toEqual({ days: 14, measurement: "" });
    expect(parseShown("?days=28&measurement=57")).toEqual({ days: 28, measurement: "57" });
  });

  test.each(["0", "367", "7.5", "a week", ""])("days=%s is refused", (days) => {
    expect(() => parseShown(`?days=${days}`)).toThrow("days must be a whole number from 1 to 366");
  });
});

describe("addresses", () => {
  test("a ticket keeps the filters of the list and leads back to them", () => {
    const address = addressOfShown("T-17", "?state=measuring", { days: 28, measurement: "57" });
    expect(address).toBe("/tickets/T-17?state=measuring&days=28&measurement=57");
    expect(addressOfTicket("T-3", "?state=measuring&days=28")).toBe("/tickets/T-3?state=measuring");
    expect(addressOfList("?state=measuring&days=28&measurement=57")).toBe("/tickets?state=measuring");
    expect(addressOfShown("T-17", "?days=28", { days: 14, measurement: "" })).toBe("/tickets/T-17");
  });

  test("a name survives its way through the address", () => {
    expect(ticketOf(addressOfTicket("T/1 ä", ""))).toBe("T/1 ä");
    expect(ticketOf("/tickets/%E0%A4%A")).toBe("%E0%A4%A");
    expect([ticketOf("/tickets"), ticketOf("/tickets/"), ticketOf("/")]).toEqual([undefined, undefined, undefined]);
  });

  test("what is empty is taken out", () => {
    expect(alter("?page=5&owner=anna", { page: "" })).toBe("?owner=anna");
    expect(alter("?page=5", { page: "" })).toBe("");
  });
});
