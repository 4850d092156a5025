import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { describe, expect, test } from "vitest";
import { ImpactSchema, ImpactVerdict } from "../src/gen/kaizen/tracker/v1/impact_pb";
import { describeDay, linesOfImpact } from "../src/tickets/impact-days";
import { saidOf } from "../src/tickets/words";

const DAY = 86_400_000;
const CHANGE = Date.UTC(2026, 2, 2, 9);

/** Days from two before the change to two after; `undefined` is a day without a value. */
const impact = (values: (number | undefined)[], leftOut: number[] = []) =>
  create(ImpactSchema, {
    changeTime: timestampFromMs(CHANGE),
    meanBefore: 0.8,
    meanAfter: 0.9,
    effect: { value: 0.1, interval: { lower: 0.04, upper: 0.16 } },
    days: values.map((value, index) => {
      const from = CHANGE + (index - 2) * DAY;
      return {
        window: { startTime: timestampFromMs(from), endTime: timestampFromMs(from + DAY) },
        ...(value === undefined ? {} : { value }),
        leftOut: leftOut.includes(index) ? "an incident" : "",
      };
    }),
  });

const rounded = (column: (number | null)[]) => column.map((it) => (it === null ? null : Math.round(it * 1000) / 1000));

describe("the lines of an impact", () => {
  test("the change lies between the days, and each mean is drawn on its side of it", () => {
    const lines = linesOfImpact(impact([0.8, 0.81, 0.9, 0.91]));
    expect(lines.times.map((it) => Math.sign(it - lines.change))).toEqual([-1, -1, 1, 1]);
    expect(lines.before).toEqual([0.8, 0.8, null, null]);
    expect(lines.after).toEqual([null, null, 0.9, 0.9]);
  });

  test("the mean before is drawn on the days since those that are left out; a day without a value parts nothing", () => {
    expect(linesOfImpact(impact([0.8, 0.81, 0.9], [0])).before).toEqual([null, 0.8, null]);
    expect(linesOfImpact(impact([0.8, undefined, 0.9], [1])).before).toEqual([0.8, 0.8, null]);
  });

  test("what would have been is the mean after less the effect, its ends those of the effect turned about", () => {
    const lines = linesOfImpact(impact([0.8, 0.81, 0.9, 0.91]));
    expect(rounded(lines.expected)).toEqual([null, null, 0.8, 0.8]);
    expect(rounded(lines.expectedLow)).toEqual([null, null, 0.74, 0.74]);
    expect(rounded(lines.expectedHigh)).toEqual([null, null, 0.86, 0.86]);
  });

  test("a day that is left out is not on the solid line, a day without a value is a gap and no zero", () => {
    const lines = linesOfImpact(impact([0.8, undefined, 0.9, 0.91], [3]));
    expect(lines.used).toEqual([0.8, null, 0.9, null]);
    expect(lines.leftOut).toEqual([null, null, 0.9, 0.91]);
  });

  test("without an effect nothing is drawn of what would have been", () => {
    const without = create(ImpactSchema, { ...impact([0.8, 0.9, 0.9]), effect: undefined });
    expect(linesOfImpact(without).expected).toEqual([null, null, null]);
  });
});

test("a day says why it is not in the measurement", () => {
  const [day] = impact([undefined], [0]).days;
  expect(day && describeDay(day, CHANGE / 1000, "ratio").details).toEqual([
    "n 0",
    "before the change",
    "not in the measurement: an incident",
  ]);
});

test.each([
  [ImpactVerdict.IMPROVED, -0.3, "▼ improved"],
  [ImpactVerdict.IMPROVED, undefined, "▲ improved"],
  [ImpactVerdict.WORSE, 0.3, "▲ worse"],
  [ImpactVerdict.NO_DETECTABLE_CHANGE, 0.3, "■ no detectable change"],
  [ImpactVerdict.CANNOT_TELL, -0.3, "? cannot tell"],
  [99 as ImpactVerdict, 0.3, "– not measured"],
])("verdict %d with the effect %d is told in words beside its way", (verdict, effect, text) => {
  const { sign, words } = saidOf(verdict, effect);
  expect(`${sign} ${words}`).toBe(text);
});
