import { create } from "@bufbuild/protobuf";
import { expect, test } from "vitest";
import { Direction, SeriesSchema } from "../src/gen/kaizen/analysis/v1/metrics_pb";
import { judge } from "../src/judge";

const { HIGHER_IS_BETTER: HIGHER, LOWER_IS_BETTER: LOWER, UNSPECIFIED } = Direction;

/** A series that went from `before` to `now`, both known to ± `half`. */
const series = (before: number, now: number, half?: number, coverage = 1) => {
  const known = (value: number) =>
    half === undefined
      ? { value, coverage }
      : { value, coverage, interval: { lower: value - half, upper: value + half } };
  return create(SeriesSchema, { total: known(now), previousTotal: known(before), change: now - before });
};

test.each([
  ["more of what should rise is better", series(0.5, 0.6, 0.01), HIGHER, "better"],
  ["less of what should rise is worse", series(0.6, 0.5, 0.01), HIGHER, "worse"],
  ["more of what should fall is worse", series(1, 2), LOWER, "worse"],
  ["less of what should fall is better", series(2, 1), LOWER, "better"],
  ["a difference whose interval holds zero is noise", series(0.5, 0.51, 0.01), HIGHER, "noise"],
  ["overlapping ends alone are not noise", series(0.5, 0.515, 0.01), HIGHER, "better"],
  ["no difference is unchanged", series(0.5, 0.5, 0.01), HIGHER, "same"],
  ["a badly covered period before judges nothing", series(100, 200, undefined, 0.5), HIGHER, "partial"],
  ["without a direction there is no verdict", series(1, 2), UNSPECIFIED, "none"],
  ["nothing before, nothing to judge", create(SeriesSchema, { total: { value: 1 } }), HIGHER, "none"],
])("%s", (_, given, direction, verdict) => {
  expect(judge(given, direction)).toBe(verdict);
});
