import { formatAmount, formatHours, formatTime } from "../format";
import type { Implementation } from "../gen/kaizen/tracker/v1/tracker_pb";
import { titleOfSlice } from "../overview/causes";
import { Fact, Facts } from "./facts";

/** What was done, what it took, and which decisions it applies to. */
export function ImplementationSection({ implementation }: { implementation: Implementation | undefined }) {
  return (
    <section class="panel" aria-labelledby="implementation">
      <h2 id="implementation">What was done</h2>
      {implementation ? (
        <Done implementation={implementation} />
      ) : (
        <p class="muted">
          Nothing yet. <code>kaizen tickets implement</code> says that it is done and live.
        </p>
      )}
    </section>
  );
}

function Done({ implementation }: { implementation: Implementation }) {
  const { implementTime, kind, component, version, description, hours, runningCostPerDay, slice, experiment, arm } =
    implementation;
  return (
    <>
      {description && <p class="description">{description}</p>}
      <Facts>
        <Fact name="live since">{formatTime(implementTime)}</Fact>
        <Fact name="kind">{kind || "deploy"}</Fact>
        <Fact name="component">{component}</Fact>
        <Fact name="version">{version}</Fact>
        <Fact name="work">{hours === undefined ? "as forecast" : formatHours(hours)}</Fact>
        <Fact name="running cost">{runningCostPerDay ? `${formatAmount(runningCostPerDay)} a day` : ""}</Fact>
        <Fact name="applies to">{titleOfSlice(slice)}</Fact>
        <Fact name="experiment">{experiment && `${experiment}, arm ${arm}`}</Fact>
      </Facts>
    </>
  );
}
