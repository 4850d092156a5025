import { timestampMs } from "@bufbuild/protobuf/wkt";
import type { Described } from "../chart/describe";
import { formatCount, formatValue } from "../format";
import type { Impact, ImpactDay } from "../gen/kaizen/tracker/v1/impact_pb";
import { type Span, spanOfWindow, titleOfSpan } from "../range";

type Column = (number | null)[];

/** The columns of the chart of an impact: one a line, a value a day. */
export interface ImpactLines {
  /** Middle of each day in seconds, so that the change lies between two of them. */
  times: number[];
  /** Values that are in the measurement. */
  used: Column;
  /** Values that are not, with their neighbours, so that a dotted line joins them to the rest. */
  leftOut: Column;
  before: Column;
  after: Column;
  /** What the mean after would have been without the change, and the 95 % interval of that. */
  expected: Column;
  expectedLow: Column;
  expectedHigh: Column;
  /** When it was changed, in seconds. */
  change: number;
}

/** Which days are not in the measurement. */
export const isLeftOut = ({ leftOut }: ImpactDay): boolean => leftOut !== "";

/** The span of a day. */
export const spanOfDay = (day: ImpactDay): Span => spanOfWindow(day.window) ?? { from: 0, to: 0 };

/** Whether a day comes after the change. */
export const isAfter = (day: ImpactDay, change: number): boolean => spanOfDay(day).from >= change * 1000;

/** Lays an impact out as the lines of a chart. */
export function linesOfImpact({ days, changeTime, meanBefore, meanAfter, effect }: Impact): ImpactLines {
  const change = changeTime ? timestampMs(changeTime) / 1000 : 0;
  const values = days.map(({ value }) => value ?? null);
  const isNearLeftOut = (index: number) =>
    [index - 1, index, index + 1].some((near) => days[near] !== undefined && isLeftOut(days[near]));
  const over = (isWanted: (day: ImpactDay, index: number) => boolean, value: number | undefined): Column =>
    days.map((day, index) => (value !== undefined && isWanted(day, index) ? value : null));
  const after = (day: ImpactDay) => isAfter(day, change);
  // Where days that have a value are left out, the mean before may be that of the days since: it is drawn on those alone.
  const parts = (day: ImpactDay) => !after(day) && isLeftOut(day) && day.value !== undefined;
  const since = days.reduce((last, day, index) => (parts(day) ? index : last), -1);
  const { value, interval } = effect ?? {};
  const without = (part: number | undefined) => (part === undefined ? undefined : meanAfter - part);
  return {
    times: days.map((day) => {
      const { from, to } = spanOfDay(day);
      return (from + to) / 2000;
    }),
    used: values.map((value, index) => (days[index] && isLeftOut(days[index]) ? null : value)),
    leftOut: values.map((value, index) => (isNearLeftOut(index) ? value : null)),
    before: over((day, index) => !after(day) && index > since, meanBefore),
    after: over(after, meanAfter),
    expected: over(after, without(value)),
    expectedLow: over(after, without(interval?.upper)),
    expectedHigh: over(after, without(interval?.lower)),
    change,
  };
}

/** What a day says. */
export function describeDay(day: ImpactDay, change: number, unit: string): Described {
  const details = [`n ${formatCount(day.n)}`, isAfter(day, change) ? "after the change" : "before the change"];
  if (isLeftOut(day)) details.push(`not in the measurement: ${day.leftOut}`);
  return {
    when: titleOfSpan(spanOfDay(day)),
    value: day.value === undefined ? "no value" : formatValue(day.value, unit),
    details,
  };
}
