import { formatChange, formatRelative, formatValue } from "../format";
import type { Metric, Series } from "../gen/kaizen/analysis/v1/metrics_pb";
import { judge, type Verdict } from "../judge";

const WORDS: Record<Verdict, string> = {
  better: "better",
  worse: "worse",
  noise: "within noise",
  same: "unchanged",
  partial: "little before",
  none: "",
};

/** The change against the period before: an arrow, figures and a word, so that colour says nothing alone. */
export function ChangeBadge({ series, metric }: { series: Series; metric: Metric }) {
  const { change, relativeChange, previousTotal } = series;
  if (change === undefined) return <p class="change none">nothing to compare</p>;
  const verdict = judge(series, metric.direction);
  const before = previousTotal?.value === undefined ? "" : `before: ${formatValue(previousTotal.value, metric.unit)}`;
  const arrow = change > 0 ? "▲" : change < 0 ? "▼" : "■";
  return (
    <p class={`change ${verdict}`} title={before}>
      <span aria-hidden="true">{arrow}</span>{" "}
      {metric.unit === "ratio" || relativeChange === undefined
        ? formatChange(change, metric.unit)
        : formatRelative(relativeChange)}{" "}
      <span class="word">{WORDS[verdict]}</span>
    </p>
  );
}
