import { timestampMs } from "@bufbuild/protobuf/wkt";
import { Step, type Window } from "./gen/kaizen/analysis/v1/metrics_pb";

export const STEPS = ["hour", "day", "week", "month"] as const;
export type StepName = (typeof STEPS)[number];

/** Half-open span of time in epoch milliseconds on whole hours, UTC, and the length of one point. */
export interface Range {
  from: number;
  to: number;
  step: StepName;
}

/** A span of time without a step. */
export type Span = Pick<Range, "from" | "to">;

const HOUR = 3_600_000;
const DAY = 24 * HOUR;
const WEEK = 7 * DAY;
/** Limit of `QueryMetric`. */
const LONGEST = 3_653 * DAY;
/** Beyond this many days a point a day is narrower than a pixel on a tile. */
const DAYS_WORTH_DRAWING = 200;

export const STEP_OF: Record<StepName, Step> = {
  hour: Step.HOUR,
  day: Step.DAY,
  week: Step.WEEK,
  month: Step.MONTH,
};

/** Why a range was refused: the parameter and the rule. */
export class UnfitRange extends Error {}

/** Reads `?from=&to=&step=`; absent when the URL names no range. Throws a `UnfitRange` that names the parameter. */
export function parseRange(search: string): Range | undefined {
  const parameters = new URLSearchParams(search);
  const from = parameters.get("from");
  const to = parameters.get("to");
  const step = parameters.get("step") ?? "day";
  if (from === null && to === null && !parameters.has("step")) return undefined;
  if (!isStep(step)) throw new UnfitRange(`step must be one of ${STEPS.join(", ")}; it is “${step}”`);
  const range = { from: parseInstant("from", from), to: parseInstant("to", to), step };
  if (range.from >= range.to) throw new UnfitRange("to must be after from");
  if (range.to - range.from > LONGEST) throw new UnfitRange("from and to are more than 10 years apart");
  return range;
}

const isStep = (text: string): text is StepName => (STEPS as readonly string[]).includes(text);

function parseInstant(name: string, text: string | null): number {
  const match = /^(\d{4}-\d{2}-\d{2})(?:T(\d{2}):00(?::00)?Z?)?$/.exec(text ?? "");
  const instant = match ? Date.parse(`${match[1]}T${match[2] ?? "00"}:00:00Z`) : Number.NaN;
  // The engine rolls 31 February over into March; the day must survive the round trip.
  if (!match || Number.isNaN(instant) || !new Date(instant).toISOString().startsWith(match[1] ?? "")) {
    throw new UnfitRange(`${name} must be a date or a whole hour in UTC, like 2026-01-05 or 2026-01-05T14:00Z`);
  }
  return instant;
}

/** The instant as the URL has it: a date at midnight, a date and hour otherwise. */
export function formatInstant(instant: number): string {
  const text = new Date(instant).toISOString();
  return instant % DAY === 0 ? text.slice(0, 10) : `${text.slice(0, 16)}Z`;
}

/** The query string of a range. */
export const formatRange = ({ from, to, step }: Range): string =>
  `?from=${formatInstant(from)}&to=${formatInstant(to)}&step=${step}`;

/** A range by name. */
export interface Preset {
  title: string;
  range: Range;
}

/** Ranges that end where the data ends, in whole days; the default is the 8 weeks. */
export function presets(data: Span): Preset[] {
  const to = Math.ceil(data.to / DAY) * DAY;
  const from = Math.floor(data.from / DAY) * DAY;
  const back = (weeks: number): Range => ({ from: to - weeks * WEEK, to, step: "day" });
  const drawable = to - from <= DAYS_WORTH_DRAWING * DAY;
  return [
    { title: "Last week", range: back(1) },
    { title: "4 weeks", range: back(4) },
    { title: "8 weeks", range: back(8) },
    { title: "All data", range: { from: Math.max(from, to - LONGEST), to, step: drawable ? "day" : "week" } },
  ];
}

/** What an address without a range shows: the last 8 weeks of the data by day. */
export function defaultRange(data: Span): Range {
  const to = Math.ceil(data.to / DAY) * DAY;
  return { from: to - 8 * WEEK, to, step: "day" };
}

export const sameRange = (one: Range, other: Range): boolean =>
  one.from === other.from && one.to === other.to && one.step === other.step;

const day = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", year: "numeric", timeZone: "UTC" });
const hour = new Intl.DateTimeFormat("en-GB", {
  day: "numeric",
  month: "short",
  year: "numeric",
  hour: "2-digit",
  minute: "2-digit",
  timeZone: "UTC",
});

/** The span for people: its first and last day, or hours when it does not keep to days. */
export function titleOfSpan({ from, to }: Span): string {
  if (from % DAY !== 0 || to % DAY !== 0) return `${hour.format(from)} – ${hour.format(to)}`;
  return to - from <= DAY ? day.format(from) : `${day.format(from)} – ${day.format(to - DAY)}`;
}

/** The span of a window; absent where it has not both ends. */
export function spanOfWindow(window: Window | undefined): Span | undefined {
  if (!window?.startTime || !window.endTime) return undefined;
  return { from: timestampMs(window.startTime), to: timestampMs(window.endTime) };
}

/** A window for people. */
export function titleOfWindow(window: Window | undefined): string {
  const span = spanOfWindow(window);
  return span ? titleOfSpan(span) : "no period";
}
