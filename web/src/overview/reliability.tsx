import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Clients } from "../api/clients";
import { useLoad } from "../api/load";
import { formatCount, formatInterval, formatShare } from "../format";
import type { ReliabilityCurve } from "../gen/kaizen/analysis/v1/metrics_pb";
import { formatRange, type Range } from "../range";
import { ErrorNotice } from "./error";

interface Props {
  client: Clients["metrics"];
  component: string;
  range: Range;
}

/** What came of a component's decisions, by the confidence and quality that were stated of them. */
export function Reliability({ client, component, range }: Props) {
  const window = { startTime: timestampFromMs(range.from), endTime: timestampFromMs(range.to) };
  const answer = useLoad(`GetReliability of ${component}`, `${component} ${formatRange(range)}`, (signal) =>
    client.getReliability({ component, window }, { signal }),
  );
  if (answer.state === "failed") return <ErrorNotice failure={answer.failure} retry={answer.retry} />;
  if (!answer.value) return <div class="groups skeleton" />;
  const { curves } = answer.value;
  return (
    <div class="groups" data-reliability={component} aria-busy={answer.state === "loading"}>
      {curves.length === 0 && <p class="muted">Nothing was stated of these decisions.</p>}
      {curves.map((curve) => (
        <Curve key={`${curve.statedBy} ${curve.of}`} curve={curve} />
      ))}
    </div>
  );
}

function Curve({ curve: { statedBy, of, levels, expectedCalibrationError } }: { curve: ReliabilityCurve }) {
  return (
    <table data-stated-by={statedBy} data-of={of}>
      <caption>
        Share of {named(of)} by {named(statedBy)}
        {expectedCalibrationError !== undefined && `, on average ${formatShare(expectedCalibrationError)} off`}
      </caption>
      <thead>
        <tr>
          <th scope="col">Stated</th>
          <th scope="col">Share</th>
          <th scope="col">n</th>
          <th scope="col">95 % interval</th>
        </tr>
      </thead>
      <tbody>
        {levels.map(({ stated, observed, interval, n }) => (
          <tr key={stated}>
            <th scope="row">{stated}</th>
            <td>{formatShare(observed)}</td>
            <td>{formatCount(n)}</td>
            <td>{interval ? formatInterval(interval, "ratio") : "–"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const named = (field: string): string => field.replaceAll("_", " ");
