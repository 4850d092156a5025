import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Point, Series, Value } from "../gen/kaizen/analysis/v1/metrics_pb";

/** One span of a series beside the span of the comparison that has the same place. */
export interface Slot {
  /** Epoch milliseconds. */
  from: number;
  to: number;
  value: Value | undefined;
  incomplete: boolean;
  previous: { from: number; to: number; value: Value | undefined } | undefined;
}

/** Pairs each point with the one in the same place of the comparison; civil months may leave some without. */
export function slotsOf(series: Series): Slot[] {
  return series.points.map((point, index) => {
    const previous = series.previousPoints[index];
    return {
      ...spanOf(point),
      value: point.value,
      incomplete: point.incomplete,
      previous: previous && { ...spanOf(previous), value: previous.value },
    };
  });
}

const spanOf = ({ startTime, endTime }: Point) => ({
  from: startTime ? timestampMs(startTime) : 0,
  to: endTime ? timestampMs(endTime) : 0,
});

type Column = (number | null)[];

/** The columns of a chart: times in seconds, and one column a line. A missing value is a gap, never zero. */
export interface Lines {
  times: number[];
  complete: Column;
  /** Incomplete points and their neighbours, so that a dotted line joins them to the rest. */
  incomplete: Column;
  previous: Column;
}

/** Lays slots out as the lines of a chart. */
export function linesOf(slots: readonly Slot[]): Lines {
  const numbers = slots.map(({ value }) => value?.value ?? null);
  const isNearIncomplete = (index: number) =>
    [index - 1, index, index + 1].some((near) => slots[near]?.incomplete === true);
  return {
    times: slots.map(({ from }) => from / 1000),
    complete: numbers.map((number, index) => (slots[index]?.incomplete ? null : number)),
    incomplete: numbers.map((number, index) => (isNearIncomplete(index) ? number : null)),
    previous: slots.map(({ previous }) => previous?.value?.value ?? null),
  };
}

/** Indexes of complete points that no line reaches: without a dot they would be invisible. */
export function isolated(column: Column): number[] {
  return column.flatMap((value, index) =>
    value !== null && (column[index - 1] ?? null) === null && (column[index + 1] ?? null) === null ? [index] : [],
  );
}
