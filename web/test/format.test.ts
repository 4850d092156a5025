import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import {
  formatChange,
  formatChangeInterval,
  formatHours,
  formatInterval,
  formatMoney,
  formatMoneyInterval,
  formatPrice,
  formatProbability,
  formatRelative,
  formatShare,
  formatTime,
  formatValue,
} from "../src/format";

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

test("what is rounded to zero is not below it", () => {
  expect(plain(formatShare(-0.0002))).toBe("0.0 %");
});

test("both ends of a change carry their sign", () => {
  expect(plain(formatChangeInterval({ lower: -0.018, upper: 0.042 }, "ratio"))).toBe("−1.8 pp to +4.2 pp");
});

test("an amount of money has its sign, its thousands apart, and small ones their hundredths", () => {
  expect(plain(formatMoney(12_400.4, "EUR"))).toBe("+12,400 EUR");
  expect(plain(formatMoney(-8.5, "EUR"))).toBe("−8.50 EUR");
  expect(plain(formatPrice(640, "EUR"))).toBe("640 EUR");
  expect(plain(formatPrice(-1.5, "USD"))).toBe("−1.50 USD");
  expect(plain(formatMoneyInterval({ lower: -820, upper: 16_700 }, "EUR"))).toBe("−820 to +16,700 EUR");
});

test("a probability is never certainty", () => {
  expect([0.99998, 0.999, 0.5, 0.0002].map((it) => plain(formatProbability(it)))).toEqual([
    "> 99.9 %",
    "99.9 %",
    "50.0 %",
    "< 0.1 %",
  ]);
});

test("hours keep their parts, and a time is told to the minute in UTC", () => {
  expect([6, 12.5].map((it) => plain(formatHours(it)))).toEqual(["6 h", "12.5 h"]);
  expect(formatTime(timestampFromMs(Date.UTC(2026, 2, 2, 9, 5, 59)))).toBe("2026-03-02 09:05Z");
  expect(formatTime(undefined)).toBe("");
});
