import { Direction, type Series, type Value } from "./gen/kaizen/analysis/v1/metrics_pb";

/**
 * What a change means. `noise`: the 95 % interval of the difference holds zero. `partial`: the period before is not
 * covered well enough to judge by. `none`: nothing to compare with.
 */
export type Verdict = "better" | "worse" | "noise" | "same" | "partial" | "none";

/** Share of the expected events the period before must hold for a verdict. */
const COVERED = 0.8;

/** Judges a series against its comparison by the metric's direction, never by colour or sign alone. */
export function judge(series: Series, direction: Direction): Verdict {
  if (series.change === undefined) return "none";
  if (series.change === 0) return "same";
  if ((series.previousTotal?.coverage ?? 1) < COVERED) return "partial";
  if (isNoise(series.change, series.total, series.previousTotal)) return "noise";
  if (direction === Direction.UNSPECIFIED) return "none";
  return series.change > 0 === (direction === Direction.HIGHER_IS_BETTER) ? "better" : "worse";
}

/** Interval of a difference from the intervals of its two sides (MOVER: Zou and Donner 2008). */
function isNoise(change: number, now?: Value, before?: Value): boolean {
  const [a, b] = [now?.interval, before?.interval];
  if (!a || !b || now?.value === undefined || before?.value === undefined) return false;
  const lower = change - Math.hypot(now.value - a.lower, b.upper - before.value);
  const upper = change + Math.hypot(a.upper - now.value, before.value - b.lower);
  return lower <= 0 && upper >= 0;
}
