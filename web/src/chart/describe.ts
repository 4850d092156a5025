import { formatCount, formatInterval, formatValue } from "../format";
import type { Value } from "../gen/kaizen/analysis/v1/metrics_pb";
import { titleOfSpan } from "../range";
import type { Slot } from "./lines";

/** What a tooltip says of one point, a line each. */
export interface Described {
  when: string;
  value: string;
  details: string[];
}

/** Tells one point in words: its value, what it rests on, and the period before. */
export function describe(slot: Slot, unit: string): Described {
  const { value, previous } = slot;
  const details: string[] = [];
  if (value && value.n > 0n) details.push(`n ${formatCount(value.n)}${value.thin ? ", thin" : ""}`);
  if (value?.interval) details.push(`95 % ${formatInterval(value.interval, unit)}`);
  if (slot.incomplete) details.push("incomplete");
  if (previous?.value?.value !== undefined) {
    details.push(`before ${formatValue(previous.value.value, unit)} (${titleOfSpan(previous)})`);
  }
  return { when: titleOfSpan(slot), value: valueOrNone(value, unit), details };
}

/** A value in its unit, or words for the lack of one. */
export const valueOrNone = (value: Value | undefined, unit: string): string =>
  value?.value === undefined ? "no value" : formatValue(value.value, unit);
