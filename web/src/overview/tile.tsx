import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { useMemo } from "preact/hooks";
import type { Clients } from "../api/clients";
import { useLoad } from "../api/load";
import { Chart } from "../chart/chart";
import { slotsOf } from "../chart/lines";
import { PointsTable } from "../chart/table";
import { formatCount, formatInterval, formatShare, partsOf } from "../format";
import type { Metric, QueryMetricResponse, Series, Value } from "../gen/kaizen/analysis/v1/metrics_pb";
import { formatRange, type Range, STEP_OF } from "../range";
import { ChangeBadge } from "./change";
import { ErrorNotice } from "./error";
import { Groups } from "./groups";

interface Props {
  client: Clients["metrics"];
  metric: Metric;
  range: Range;
}

/** One metric over the range: its value and what it rests on, its change, and its course. */
export function Tile({ client, metric, range }: Props) {
  const key = `${metric.name} ${formatRange(range)}`;
  const window = { startTime: timestampFromMs(range.from), endTime: timestampFromMs(range.to) };
  const compareTo = { to: { case: "previous" as const, value: true } };
  const answer = useLoad(`QueryMetric of ${metric.name}`, key, (signal) =>
    client.queryMetric({ metric: metric.name, window, step: STEP_OF[range.step], compareTo }, { signal }),
  );
  const series = answer.state === "failed" ? undefined : answer.value?.series[0];
  const total = answer.state === "ready" ? series?.total : undefined;
  const id = `metric-${metric.name.replace(".", "-")}`;
  return (
    <article
      class={metric.splitBy ? "tile split" : "tile"}
      aria-labelledby={id}
      aria-busy={answer.state === "loading"}
      data-metric={metric.name}
      data-state={answer.state}
      data-value={total?.value ?? ""}
      data-n={total?.n.toString() ?? ""}
      data-coverage={total?.coverage ?? ""}
    >
      <div class="whole">
        <header>
          <h3 id={id}>{metric.title}</h3>
          <span class="hint">
            <button type="button" class="info" aria-label={`About ${metric.title}`} aria-describedby={`${id}-about`}>
              i
            </button>
            <span role="tooltip" id={`${id}-about`}>
              {metric.description}
            </span>
          </span>
        </header>
        {answer.state === "failed" && <ErrorNotice failure={answer.failure} retry={answer.retry} />}
        {answer.state === "loading" && !series && <Skeleton />}
        {answer.state === "ready" && !series && <p class="muted">The answer holds no series.</p>}
        {series && <Measured metric={metric} series={series} step={range.step} />}
      </div>
      {metric.splitBy && (
        <Groups
          metric={metric}
          load={(signal): Promise<QueryMetricResponse> =>
            client.queryMetric({ metric: metric.name, window, groupBy: metric.splitBy, groupLimit: 8 }, { signal })
          }
          cacheKey={key}
        />
      )}
    </article>
  );
}

function Measured({ metric, series, step }: { metric: Metric; series: Series; step: Range["step"] }) {
  const slots = useMemo(() => slotsOf(series), [series]);
  const drawable = slots.some(({ value, previous }) => (value?.value ?? previous?.value?.value) !== undefined);
  return (
    <>
      <div class="figure">
        <BigValue value={series.total} unit={metric.unit} />
        <ChangeBadge series={series} metric={metric} />
      </div>
      <Footing value={series.total} metric={metric} />
      {drawable ? (
        <>
          <Chart title={metric.title} unit={metric.unit} step={step} slots={slots} />
          <details class="points">
            <summary>
              Table<span class="unseen"> of {metric.title}</span>
            </summary>
            <PointsTable title={metric.title} unit={metric.unit} slots={slots} />
          </details>
        </>
      ) : (
        <p class="blank">No decisions in this range</p>
      )}
    </>
  );
}

function BigValue({ value, unit }: { value: Value | undefined; unit: string }) {
  if (value?.value === undefined) return <p class="value none">no value</p>;
  const parts = partsOf(value.value, unit);
  return (
    <p class="value">
      {parts.number}
      {parts.unit && <span class="unit"> {parts.unit}</span>}
    </p>
  );
}

/** What the value rests on: how many decisions, how much of what was expected, and how sure. */
function Footing({ value, metric }: { value: Value | undefined; metric: Metric }) {
  return (
    <dl class="footing">
      <div>
        <dt>n</dt>
        <dd>{formatCount(value?.n ?? 0n)}</dd>
      </div>
      <div>
        <dt>coverage</dt>
        <dd>{value?.coverage === undefined ? "unknown" : formatShare(value.coverage)}</dd>
      </div>
      {value?.interval && (
        <div>
          <dt>95 %</dt>
          <dd>{formatInterval(value.interval, metric.unit)}</dd>
        </div>
      )}
      {value?.thin && (
        <div class="thin" title={`Fewer than ${metric.minimumSample} decisions: read with care.`}>
          <dt class="unseen">sample</dt>
          <dd>thin</dd>
        </div>
      )}
    </dl>
  );
}

const Skeleton = () => (
  <div class="skeleton" role="status">
    <span class="unseen">Loading…</span>
  </div>
);
