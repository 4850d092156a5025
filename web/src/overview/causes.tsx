import { formatChange, formatCount, formatInterval, formatValue } from "../format";
import type { MetricExplanation } from "../gen/kaizen/analysis/v1/analysis_pb";
import type { Condition } from "../gen/kaizen/analysis/v1/metrics_pb";

/** A slice in words. */
export const titleOfSlice = (slice: readonly Pick<Condition, "dimension" | "value">[]): string =>
  slice.map(({ dimension, value }) => (value ? `${dimension} = ${value}` : `no ${dimension}`)).join(", ");

/** The slices that changed otherwise than the rest, each with its size and its interval. */
export function Causes({ explanation: { culprits, effectUnit } }: { explanation: MetricExplanation }) {
  if (culprits.length === 0) return null;
  return (
    <ul class="causes">
      {culprits.map(({ slice, previous, value, effect, interval }) => (
        <li key={titleOfSlice(slice)}>
          <strong>{titleOfSlice(slice)}</strong>
          {previous?.value !== undefined &&
            value?.value !== undefined &&
            `: ${formatValue(previous.value, effectUnit)} → ${formatValue(value.value, effectUnit)}`}
          , {formatChange(effect, effectUnit)} beyond the rest
          {interval && ` (95\u202f% ${formatInterval(interval, effectUnit)})`}, {formatCount(value?.n ?? 0n)} decisions
        </li>
      ))}
    </ul>
  );
}
