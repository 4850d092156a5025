import { describe, expect, test } from "vitest";
import { formatChange, formatInterval, formatRelative, formatValue } from "../src/format";

const plain = (text: string) => text.replaceAll("\u202f", " ");

describe("a value is told in its unit", () => {
  test.each([
    [0.9234, "ratio", "92.3 %"],
    [1.7, "seconds", "1.70 s"],
    [0.0824, "seconds", "82.4 ms"],
    [0, "seconds", "0.00 s"],
    [74.44, "score", "74.4 / 100"],
    [25_219, "count", "25,219"],
    [8_397.03, "characters", "8,397 characters"],
    [2.7654, "pages", "2.77 pages"],
  ])("%d %s", (value, unit, text) => {
    expect(plain(formatValue(value, unit))).toBe(text);
  });
});

test("an interval names its unit once, and twice when its ends differ in it", () => {
  expect(plain(formatInterval({ lower: 0.79, upper: 0.811 }, "ratio"))).toBe("79.0 – 81.1 %");
  expect(plain(formatInterval({ lower: 0.95, upper: 1.05 }, "seconds"))).toBe("950 ms – 1.05 s");
});

test("a change carries its sign, a share changes by points", () => {
  expect(plain(formatChange(-0.052, "ratio"))).toBe("−5.2 pp");
  expect(plain(formatChange(0.3, "seconds"))).toBe("+300 ms");
  expect(plain(formatRelative(-0.0825))).toBe("−8.3 %");
  expect(plain(formatRelative(0))).toBe("0.0 %");
});
