import { describe, expect, test } from "vitest";
import { defaultRange, formatRange, parseRange, presets, titleOfSpan } from "../src/range";

const utc = (text: string) => Date.parse(text);

describe("the range in the address", () => {
  test.each([
    "?from=2026-01-05&to=2026-03-02&step=day",
    "?from=2026-01-05T07:00Z&to=2026-01-05T19:00Z&step=hour",
    "?from=2008-01-01&to=2010-01-01&step=month",
  ])("survives a round trip: %s", (search) => {
    const range = parseRange(search);
    expect(range && formatRange(range)).toBe(search);
  });

  test("is read in UTC", () => {
    expect(parseRange("?from=2026-01-05&to=2026-01-06T03:00:00Z")).toEqual({
      from: utc("2026-01-05T00:00:00Z"),
      to: utc("2026-01-06T03:00:00Z"),
      step: "day",
    });
  });

  test("is absent when the address names none", () => {
    expect(parseRange("")).toBeUndefined();
    expect(parseRange("?theme=dark")).toBeUndefined();
  });

  test.each([
    ["?from=yesterday&to=2026-01-06", "from must be"],
    ["?from=2026-02-31&to=2026-04-01", "from must be"],
    ["?from=2026-01-05T07:30Z&to=2026-01-06", "from must be"],
    ["?from=2026-01-05", "to must be"],
    ["?from=2026-01-06&to=2026-01-06", "to must be after from"],
    ["?from=2006-01-05&to=2026-01-06", "more than 10 years"],
    ["?from=2026-01-05&to=2026-01-06&step=minute", "step must be one of hour, day, week, month"],
  ])("is refused with the parameter at fault: %s", (search, reason) => {
    expect(() => parseRange(search)).toThrow(reason);
  });
});

describe("the presets", () => {
  const data = { from: utc("2026-01-05T00:00:00Z"), to: utc("2026-03-29T06:00:00Z") };

  test("the default is the 8 weeks up to the end of the last day that has data", () => {
    expect(formatRange(defaultRange(data))).toBe("?from=2026-02-02&to=2026-03-30&step=day");
    expect(presets(data)[2]?.range).toEqual(defaultRange(data));
  });

  test("all data goes by week once days are too narrow to draw", () => {
    const long = { from: utc("2008-01-01T00:00:00Z"), to: utc("2010-01-01T00:00:00Z") };
    expect(presets(data).at(-1)?.range.step).toBe("day");
    expect(presets(long).at(-1)?.range).toEqual({ ...long, step: "week" });
  });

  test("a span is told by its last day, not by the one after", () => {
    expect(titleOfSpan({ from: utc("2026-01-05T00:00:00Z"), to: utc("2026-01-12T00:00:00Z") })).toBe(
      "5 Jan 2026 – 11 Jan 2026",
    );
    expect(titleOfSpan({ from: utc("2026-01-05T00:00:00Z"), to: utc("2026-01-06T00:00:00Z") })).toBe("5 Jan 2026");
  });
});
