import { create } from "@bufbuild/protobuf";
import { describe, expect, test } from "vitest";
import { isolated, linesOf, type Slot } from "../src/chart/lines";
import { ValueSchema } from "../src/gen/kaizen/analysis/v1/metrics_pb";

const slots = (values: (number | null)[], incomplete: number[] = [], previous: (number | null)[] = []): Slot[] =>
  values.map((value, index) => {
    const of = (number: number | null) => create(ValueSchema, number === null ? {} : { value: number });
    const span = { from: index * 1000, to: (index + 1) * 1000 };
    const before = previous[index];
    return {
      ...span,
      value: of(value),
      incomplete: incomplete.includes(index),
      previous: before === undefined ? undefined : { ...span, value: of(before) },
    };
  });

describe("the lines of a chart", () => {
  test("a missing value is a gap and a zero is not", () => {
    expect(linesOf(slots([1, null, 0])).complete).toEqual([1, null, 0]);
  });

  test("an incomplete point is left out of the solid line and joined to its neighbour by the dotted one", () => {
    const lines = linesOf(slots([1, 2, 3, 4], [3]));
    expect(lines.complete).toEqual([1, 2, 3, null]);
    expect(lines.incomplete).toEqual([null, null, 3, 4]);
  });

  test("the period before is shorter when its months are", () => {
    expect(linesOf(slots([1, 2, 3], [], [7, null])).previous).toEqual([7, null, null]);
  });

  test("points that no line reaches are found", () => {
    expect(isolated([1, null, 2, 3, null, 4])).toEqual([0, 5]);
  });
});
