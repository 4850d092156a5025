import { useLoad } from "../api/load";
import { valueOrNone } from "../chart/describe";
import { formatCount, formatInterval } from "../format";
import type { Metric, QueryMetricResponse, Series } from "../gen/kaizen/analysis/v1/metrics_pb";
import { ErrorNotice } from "./error";

const REST = "__other__";

interface Props {
  metric: Metric;
  cacheKey: string;
  load: (signal: AbortSignal) => Promise<QueryMetricResponse>;
}

/** The groups of a split metric, highest value first, the rest last. */
export function Groups({ metric, cacheKey, load }: Props) {
  const answer = useLoad(`QueryMetric of ${metric.name} by ${metric.splitBy}`, cacheKey, load);
  if (answer.state === "failed") return <ErrorNotice failure={answer.failure} retry={answer.retry} />;
  if (!answer.value) return <div class="groups skeleton" />;
  return (
    <div class="groups" data-groups={metric.name} aria-busy={answer.state === "loading"}>
      <table>
        <caption>By {metric.splitBy.replaceAll("_", " ")}</caption>
        <thead>
          <tr>
            <th scope="col">Group</th>
            <th scope="col">Value</th>
            <th scope="col">n</th>
            <th scope="col">95 % interval</th>
          </tr>
        </thead>
        <tbody>
          {ranked(answer.value.series).map(({ group, total }) => (
            <tr key={group}>
              <th scope="row">{group === REST ? "all others" : group || "not stated"}</th>
              <td>
                {valueOrNone(total, metric.unit)}
                {total?.thin && <span class="note"> thin</span>}
              </td>
              <td>{formatCount(total?.n ?? 0n)}</td>
              <td>{total?.interval ? formatInterval(total.interval, metric.unit) : "–"}</td>
            </tr>
          ))}
          {answer.value.series.length === 0 && (
            <tr>
              <td colSpan={4}>No groups in this range</td>
            </tr>
          )}
        </tbody>
      </table>
    </div>
  );
}

/** Highest value first; groups without a value after them, the rest at the end. */
export function ranked(series: readonly Series[]): Series[] {
  const rank = ({ group, total }: Series) => (group === REST ? -2 : total?.value === undefined ? -1 : 0);
  return [...series].sort((a, b) => rank(b) - rank(a) || (b.total?.value ?? 0) - (a.total?.value ?? 0));
}
