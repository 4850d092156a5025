import { formatTime } from "../format";
import type { Finding } from "../gen/kaizen/analysis/v1/analysis_pb";
import { Link } from "../link";

type Kind = NonNullable<Finding["detail"]["case"]>;

/** Kinds in the order of reading. */
const HEADINGS: [Kind, string][] = [
  ["missingData", "Missing data"],
  ["levelChange", "Changed level"],
  ["anomaly", "Unusual for a time"],
  ["latencyTail", "Slowest decisions"],
  ["miscalibration", "Confidence that does not mean what it says"],
  ["labelOrder", "Labels that do not tell good decisions from bad"],
  ["standing", "Better and worse than the rest"],
];

/** What an analysis found beside trends and slices, by kind, each with its time and in a sentence. */
export function Findings({ findings }: { findings: readonly Finding[] }) {
  return (
    <>
      {HEADINGS.map(([kind, heading]) => {
        const found = findings.filter(({ detail }) => detail.case === kind);
        if (found.length === 0) return null;
        return (
          <details class="findings" key={kind} data-findings={kind} open={kind !== "standing"}>
            <summary>
              {heading} ({found.length})
            </summary>
            <ul>
              {found.map((finding) => (
                <li key={`${timeOf(finding)} ${finding.text}`} class={finding.isWorse ? "worse" : "better"}>
                  {timeOf(finding) && <time>{timeOf(finding)}</time>} {finding.text}
                  {finding.decisions?.dashboardPath && (
                    <>
                      {" "}
                      <Link to={finding.decisions.dashboardPath}>Decisions</Link>
                    </>
                  )}
                </li>
              ))}
            </ul>
          </details>
        );
      })}
    </>
  );
}

/** To the minute, in UTC; empty for what has no time. */
function timeOf({ detail }: Finding): string {
  const time =
    detail.case === "missingData"
      ? detail.value.window?.startTime
      : detail.case === "levelChange" || detail.case === "anomaly"
        ? detail.value.time
        : undefined;
  return formatTime(time);
}
