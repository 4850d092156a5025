import uPlot from "uplot";
import { partsOf } from "../format";
import { isolated, type Lines, type Slot } from "./lines";

/** Height of a chart in CSS pixels. */
export const HEIGHT = 132;

/** What axes are written in. */
export const FONT = '11px system-ui, -apple-system, "Segoe UI", sans-serif';

/** What a chart tells its owner. */
export interface Events {
  /** The pointer or the keyboard is on this point; `undefined` when on none. */
  onPoint(index: number | undefined, left: number): void;
  /** The user dragged over these points. */
  onSelect(first: number, last: number): void;
}

/** The colours of the theme in force, by their names in the style sheet. */
export function coloursOf(place: HTMLElement): (name: string) => string {
  const colours = getComputedStyle(place);
  return (name) => colours.getPropertyValue(`--${name}`).trim();
}

/** What the charts have in common: their size, and axes of time in UTC and of values in the unit. */
export function frame(place: HTMLElement, unit: string, range: uPlot.Range.Function) {
  const colour = coloursOf(place);
  const axis = {
    font: FONT,
    stroke: colour("muted"),
    ticks: { show: false },
    grid: { stroke: colour("grid"), width: 1 },
  };
  return {
    width: place.clientWidth,
    height: HEIGHT,
    padding: [8, 14, 0, 0],
    legend: { show: false },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    scales: { x: { time: true }, y: { range } },
    axes: [
      { ...axis, grid: { show: false }, space: 46, size: 22, gap: 4, values: dates },
      { ...axis, space: 24, size: 46, gap: 6, values: (_, splits) => splits.map((split) => tick(split, unit)) },
    ],
  } satisfies Partial<uPlot.Options>;
}

/** Draws the slots of a metric: this period solid, its incomplete points dotted and hollow, the period before dashed. */
export function draw(place: HTMLElement, slots: readonly Slot[], lines: Lines, unit: string, events: Events): uPlot {
  const colour = coloursOf(place);
  const line = colour("line");
  const options: uPlot.Options = {
    ...frame(place, unit, withRoom(unit)),
    cursor: {
      sync: { key: "overview" },
      y: false,
      drag: { x: true, y: false, setScale: false },
      points: { size: 7 },
    },
    series: [
      {},
      { label: "previous", stroke: colour("line-before"), width: 1.25, dash: [4, 3], points: { show: false } },
      {
        label: "value",
        stroke: line,
        width: 1.75,
        fill: colour("area"),
        points: dots(lines.complete, isolated, line, line),
      },
      {
        label: "incomplete",
        stroke: line,
        width: 1.5,
        dash: [1, 3],
        points: dots(lines.incomplete, () => hollow(slots), line, colour("surface")),
      },
    ],
    hooks: {
      setCursor: [(chart) => events.onPoint(chart.cursor.idx ?? undefined, chart.cursor.left ?? -1)],
      setSelect: [
        (chart) => {
          if (chart.select.width === 0) return;
          const first = chart.posToIdx(chart.select.left);
          const last = chart.posToIdx(chart.select.left + chart.select.width);
          chart.setSelect({ left: 0, top: 0, width: 0, height: 0 }, false);
          if (last > first) events.onSelect(first, last);
        },
      ],
    },
  };
  return new uPlot(options, [lines.times, lines.previous, lines.complete, lines.incomplete], place);
}

const hollow = (slots: readonly Slot[]): number[] =>
  slots.flatMap(({ incomplete, value }, index) => (incomplete && value?.value !== undefined ? [index] : []));

/** Dots on the points of a column that are picked out, and on no other. */
export function dots(
  column: (number | null)[],
  which: (column: (number | null)[]) => number[],
  stroke: string,
  fill: string,
): uPlot.Series.Points {
  const marked = which(column);
  return { show: marked.length > 0, size: 6, width: 1.5, stroke, fill, filter: () => marked };
}

/** A little room around the values; counts start at zero and shares stay within 0 and 1. */
export function withRoom(unit: string): uPlot.Range.Function {
  return (_, low, high) => {
    if (low === null || high === null) return [0, 1];
    const room = (high - low || Math.abs(high) || 1) * 0.12;
    const floor = unit === "count" || low >= 0 ? 0 : Number.NEGATIVE_INFINITY;
    const ceiling = unit === "ratio" ? 1 : Number.POSITIVE_INFINITY;
    return [unit === "count" ? 0 : Math.max(floor, low - room), Math.min(ceiling, high + room)];
  };
}

const compact = new Intl.NumberFormat("en-GB", { notation: "compact", maximumSignificantDigits: 3 });

function tick(split: number, unit: string): string {
  if (unit === "ratio") return `${compact.format(split * 100)}%`;
  if (unit === "seconds" || unit === "score" || unit === "count") {
    const parts = unit === "count" ? { number: compact.format(split), unit: "" } : partsOf(split, unit);
    return unit === "score" ? compact.format(split) : `${parts.number}${parts.unit}`;
  }
  return compact.format(split);
}

const monthDay = new Intl.DateTimeFormat("en-GB", { day: "numeric", month: "short", timeZone: "UTC" });
const yearMonth = new Intl.DateTimeFormat("en-GB", { month: "short", year: "numeric", timeZone: "UTC" });
const second = new Intl.DateTimeFormat("en-GB", { timeStyle: "medium", timeZone: "UTC" });
const hourMinute = new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit", timeZone: "UTC" });

/** How the time of a tick is told, and from which distance of two ticks on, in seconds. */
const DATES = [
  [yearMonth, 28 * 86_400],
  [monthDay, 86_400],
  [hourMinute, 60],
] as const;

function dates(_: uPlot, splits: number[], _axis: number, _space: number, increment: number): string[] {
  const [format] = DATES.find(([, from]) => increment >= from) ?? [second];
  return splits.map((seconds) => format.format(seconds * 1000));
}
