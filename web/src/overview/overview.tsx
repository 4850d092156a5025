import type { Clients } from "../api/clients";
import { Details } from "../details";
import type { Metric } from "../gen/kaizen/analysis/v1/metrics_pb";
import type { Range } from "../range";
import { Reliability } from "./reliability";
import { Tile } from "./tile";

interface Props {
  client: Clients["metrics"];
  metrics: readonly Metric[];
  range: Range;
}

/** A section a component, a tile a metric, as the catalogue orders them. */
export function Overview({ client, metrics, range }: Props) {
  return (
    <>
      {[...byComponent(metrics)].map(([component, members]) => (
        <section class="component" key={component} aria-labelledby={`component-${component}`}>
          <h2 id={`component-${component}`}>{members[0]?.componentTitle || component}</h2>
          <div class="tiles">
            {members.map((metric) => (
              <Tile key={metric.name} client={client} metric={metric} range={range} />
            ))}
          </div>
          <Details summary="What confidence and quality labels are worth">
            {() => <Reliability client={client} component={component} range={range} />}
          </Details>
        </section>
      ))}
    </>
  );
}

/** Metrics by component, both in catalogue order. */
export function byComponent(metrics: readonly Metric[]): Map<string, Metric[]> {
  const groups = new Map<string, Metric[]>();
  for (const metric of metrics) groups.set(metric.component, [...(groups.get(metric.component) ?? []), metric]);
  return groups;
}
