import { describe, expect, test } from "vitest";
import { addressOfDecision, addressOfList, addressOfPage, eventOf, parseAsked } from "../src/decisions/asked";

const EVIDENCE =
  "?component=lead_enrichment&from=2026-01-05T00%3A00%3A00Z&to=2026-01-12T00%3A00%3A00Z&filter=method_used%3Da%26b%3Dc+d%2F%C3%BC&filter=industry%3D";

describe("which decisions the address asks for", () => {
  test("what evidence links to is read as it was written", () => {
    expect(parseAsked(EVIDENCE)).toEqual({
      component: "lead_enrichment",
      from: Date.UTC(2026, 0, 5),
      to: Date.UTC(2026, 0, 12),
      filters: [
        { dimension: "method_used", value: "a&b=c d/ü" },
        { dimension: "industry", value: "" },
      ],
      page: "",
    });
  });

  test.each([
    ["?to=2026-01-12", "from must be a date or a time in UTC"],
    ["?from=yesterday&to=2026-01-12", "it is “yesterday”"],
    ["?from=2026-01-12&to=2026-01-12", "to must be after from"],
    ["?from=2026-01-05&to=2026-01-12&filter=industry", "filter must be DIMENSION=VALUE"],
    ["?from=2026-01-05&to=2026-01-12&filter=%3Dx", "filter must be DIMENSION=VALUE"],
  ])("%s is refused with the parameter at fault", (search, reason) => {
    expect(() => parseAsked(search)).toThrow(reason);
  });

  test("a decision leads back to the page of the list it was found on", () => {
    const list = new URL(addressOfPage(EVIDENCE, "x="), "http://kaizen");
    const one = new URL(addressOfDecision("a.b/c", list.search), "http://kaizen");
    expect([one.pathname, eventOf(one.search)]).toEqual(["/decisions", "a.b/c"]);
    expect(addressOfList(one.search)).toBe(list.pathname + list.search);
    expect(eventOf(list.search)).toBe("");
    expect(parseAsked(list.search).page).toBe("x=");
  });
});
