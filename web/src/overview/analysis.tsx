import type { Clients } from "../api/clients";
import { useLoad } from "../api/load";
import { formatCount, formatRelative, formatTime, formatValue } from "../format";
import {
  AnalysisState,
  type GetAnalysisResponse,
  type MetricExplanation,
  type MetricResult,
  type Recommendation,
  type Trend,
  TrendDirection,
} from "../gen/kaizen/analysis/v1/analysis_pb";
import type { Metric } from "../gen/kaizen/analysis/v1/metrics_pb";
import { titleOfWindow } from "../range";
import { Causes } from "./causes";
import { ErrorNotice } from "./error";
import { Findings } from "./findings";
import { Recommendations } from "./recommendations";

interface Newest {
  found: GetAnalysisResponse;
  recommendations: readonly Recommendation[];
}

/** Loads the newest analysis with what it found and recommends; absent when none has run. */
async function newest(client: Clients["analyses"], signal: AbortSignal): Promise<Newest | undefined> {
  const { analyses } = await client.listAnalyses({ pageSize: 1 }, { signal });
  if (!analyses[0]) return undefined;
  const { analysisId } = analyses[0];
  const [found, { recommendations }] = await Promise.all([
    client.getAnalysis({ analysisId }, { signal }),
    client.listRecommendations({ analysisId }, { signal }),
  ]);
  return { found, recommendations };
}

/** The newest analysis: what it covered, each metric's trend, what got worse first, why, and what to do. */
export function AnalysisPanel({ client, metrics }: { client: Clients["analyses"]; metrics: readonly Metric[] }) {
  const answer = useLoad("Reading the newest analysis", "", (signal) => newest(client, signal));
  return (
    <section class="analysis" aria-labelledby="analysis" data-state={answer.state}>
      <h2 id="analysis">Newest analysis</h2>
      {answer.state === "failed" && <ErrorNotice failure={answer.failure} retry={answer.retry} />}
      {answer.state === "loading" && <p role="status">Loading…</p>}
      {answer.state === "ready" &&
        (answer.value ? (
          <Shown {...answer.value} metrics={metrics} />
        ) : (
          <p class="muted">
            None has run yet. <code>kaizen analyze</code> runs one over the last whole week.
          </p>
        ))}
    </section>
  );
}

function Shown({ found, recommendations, metrics }: Newest & { metrics: readonly Metric[] }) {
  const { analysis, results, trends, explanations, findings } = found;
  const ordered = byUrgency(trends);
  const moved = ordered.filter(({ direction }) => MOVED.includes(direction));
  const rest = ordered.filter(({ direction }) => !MOVED.includes(direction));
  const rows = (shown: Trend[]) =>
    shown.map((trend) => (
      <TrendRow
        key={trend.metric}
        trend={trend}
        metric={metrics.find(({ name }) => name === trend.metric)}
        explanation={explanations.find(({ metric }) => metric === trend.metric)}
        result={results.find(({ metric, group }) => metric?.name === trend.metric && group === "")}
      />
    ));
  return (
    <>
      <p class="muted">
        {titleOfWindow(analysis?.period)} against {titleOfWindow(analysis?.previousPeriod)} ·{" "}
        {formatCount(analysis?.decisions ?? 0n)} decisions · {formatCount(analysis?.rejections ?? 0n)} rejected
      </p>
      {analysis?.state === AnalysisState.RUNNING && <p role="status">Under way: its results are not complete.</p>}
      {analysis?.state === AnalysisState.CANCELLED && (
        <p class="problem">
          It was cancelled by {analysis.cancellation?.actor}
          {analysis.cancellation?.reason && `: ${analysis.cancellation.reason}`}
        </p>
      )}
      {analysis?.state === AnalysisState.FAILED && <p class="problem">It failed: {analysis.error}</p>}
      {moved.length > 0 && <ul class="trends">{rows(moved)}</ul>}
      {moved.length === 0 && trends.length > 0 && <p>No metric moved more than chance explains.</p>}
      {rest.length > 0 && (
        <details>
          <summary>
            {rest.length} more: {counted(rest)}
          </summary>
          <ul class="trends">{rows(rest)}</ul>
        </details>
      )}
      <Findings findings={findings} />
      <Recommendations recommendations={recommendations} />
    </>
  );
}

const WORDS: Record<TrendDirection, string> = {
  [TrendDirection.UNSPECIFIED]: "not judged",
  [TrendDirection.IMPROVING]: "improving",
  [TrendDirection.DECLINING]: "declining",
  [TrendDirection.STABLE]: "stable",
  [TrendDirection.INSUFFICIENT_DATA]: "too little data",
};
const URGENCY = [
  TrendDirection.DECLINING,
  TrendDirection.IMPROVING,
  TrendDirection.STABLE,
  TrendDirection.INSUFFICIENT_DATA,
  TrendDirection.UNSPECIFIED,
];
const MOVED = [TrendDirection.DECLINING, TrendDirection.IMPROVING];

/** What got worse first, then what got better, then the rest; catalogue order within each. */
export const byUrgency = (trends: readonly Trend[]): Trend[] =>
  URGENCY.flatMap((direction) => trends.filter((trend) => trend.direction === direction));

const counted = (trends: readonly Trend[]): string =>
  URGENCY.map((direction) => ({ direction, count: trends.filter((trend) => trend.direction === direction).length }))
    .filter(({ count }) => count > 0)
    .map(({ direction, count }) => `${count} ${WORDS[direction]}`)
    .join(", ");

interface RowProps {
  trend: Trend;
  metric: Metric | undefined;
  result: MetricResult | undefined;
  explanation: MetricExplanation | undefined;
}

function TrendRow({ trend, metric, result, explanation }: RowProps) {
  const [now, before] = [result?.value?.value, result?.previous?.value];
  const unit = metric?.unit ?? "";
  return (
    <li class={`trend ${WORDS[trend.direction].replaceAll(" ", "-")}`} data-trend={trend.metric}>
      <span class="word">{WORDS[trend.direction]}</span>
      <a href={`#metric-${trend.metric.replace(".", "-")}`}>
        {metric ? `${metric.componentTitle}: ${metric.title}` : trend.metric}
      </a>
      <span class="from-to">
        {now !== undefined && before !== undefined && `${formatValue(before, unit)} → ${formatValue(now, unit)}`}
        {trend.changePercent !== undefined && ` (${formatRelative(trend.changePercent / 100)})`}
        {trend.onsetTime && ` since ${formatTime(trend.onsetTime)}`}
        {trend.significance && `, ${trend.significance} significance`}
      </span>
      {explanation && <Causes explanation={explanation} />}
    </li>
  );
}
