import type { Clients } from "../api/clients";
import { type Loaded, useLoad } from "../api/load";
import { formatChange, formatChangeInterval, formatMoney, formatPart, formatTime } from "../format";
import type { Impact, Measurement } from "../gen/kaizen/tracker/v1/impact_pb";
import type { Ticket } from "../gen/kaizen/tracker/v1/tracker_pb";
import { Link } from "../link";
import { ErrorNotice } from "../overview/error";
import { addressOfShown, type Shown } from "./asked";
import { Verdict } from "./badges";
import { ImpactWhole } from "./impact";

interface Props {
  client: Clients["tracker"];
  ticket: Ticket;
  /** Another one whenever the ticket has changed. */
  version: number;
  shown: Shown;
  search: string;
}

/** Days after a change at which a measurement is kept. */
const KEPT = [7, 14, 28];

/** What a ticket changed: the measurements that are kept, and one of them or one made now in full. */
export function Measured(props: Props) {
  const { ticket } = props;
  if (!ticket.implementation) {
    return (
      <section class="panel" aria-labelledby="impact" data-impact="none">
        <h2 id="impact">What it changed</h2>
        <p class="blank low">What a ticket changed is measured once it is implemented.</p>
      </section>
    );
  }
  return <Implemented {...props} />;
}

function Implemented({ client, ticket: { ticketId, implementation }, version, shown, search }: Props) {
  const kept = useLoad("ListMeasurements", `${version} ${ticketId}`, (signal) =>
    client.listMeasurements({ ticketId }, { signal }),
  );
  // Measured anew when it was implemented anew.
  const done = String(implementation?.implementTime?.seconds);
  const measurements = kept.state === "failed" ? undefined : kept.value?.measurements;
  return (
    <>
      <section class="panel" aria-labelledby="impact">
        <h2 id="impact">What it changed</h2>
        <nav class="range" aria-label="Measurement">
          <ul class="presets">
            {KEPT.map((days) => (
              <li key={days}>
                <Link
                  to={addressOfShown(ticketId, search, { days, measurement: "" })}
                  current={!shown.measurement && shown.days === days ? "true" : undefined}
                >
                  now, over {days} days
                </Link>
              </li>
            ))}
          </ul>
        </nav>
        {shown.measurement ? (
          <Kept kept={kept} id={shown.measurement} />
        ) : (
          <Now client={client} ticketId={ticketId} days={shown.days} done={done} />
        )}
      </section>
      <section class="panel" aria-labelledby="kept" data-kept={kept.state}>
        <h2 id="kept">Kept measurements</h2>
        {kept.state === "failed" && <ErrorNotice failure={kept.failure} retry={kept.retry} />}
        {kept.state === "loading" && !measurements && (
          <div class="skeleton low" role="status" aria-label="Loading measurements" />
        )}
        {measurements?.length === 0 && <p class="muted">None yet: they are made 7, 14 and 28 days after the change.</p>}
        {measurements && measurements.length > 0 && (
          <Listed measurements={measurements} ticketId={ticketId} shown={shown} search={search} />
        )}
      </section>
    </>
  );
}

interface NowProps {
  client: Clients["tracker"];
  ticketId: string;
  days: number;
  /** When it was implemented. */
  done: string;
}

/** One that is made now, over so many days. */
function Now({ client, ticketId, days, done }: NowProps) {
  const answer = useLoad("MeasureImpact", `${ticketId} ${days} ${done}`, (signal) =>
    client.measureImpact({ ticketId, measurementPeriodDays: days }, { signal }),
  );
  if (answer.state === "failed") {
    const { failure, retry } = answer;
    if (failure.code !== "FAILED_PRECONDITION") {
      return (
        <div data-impact="failed">
          <ErrorNotice failure={failure} retry={retry} />
        </div>
      );
    }
    return (
      <div class="notice" role="status" data-impact="unmeasurable">
        <strong>It cannot be measured now.</strong>
        <p>{failure.message}</p>
        <button type="button" onClick={retry}>
          Try again
        </button>
      </div>
    );
  }
  const impact = answer.value?.impact;
  if (!impact) {
    return answer.state === "loading" ? (
      <div class="skeleton" role="status" data-impact="loading" aria-label="Measuring" />
    ) : (
      <p class="muted" data-impact="absent">
        The answer holds no measurement.
      </p>
    );
  }
  return (
    <div data-impact={answer.state} aria-busy={answer.state === "loading"}>
      <ImpactWhole impact={impact} />
    </div>
  );
}

/** One that is kept. */
function Kept({ kept, id }: { kept: Loaded<{ measurements: Measurement[] }>; id: string }) {
  // Below, where the measurements are listed, it is told why there are none.
  if (kept.state === "failed") return null;
  if (!kept.value) return <div class="skeleton" role="status" data-impact="loading" aria-label="Loading" />;
  const found = kept.value.measurements.find(({ measurementId }) => measurementId === id);
  if (!found) {
    return (
      <p class="notice" role="alert" data-impact="absent">
        This ticket has no kept measurement {id}.
      </p>
    );
  }
  return (
    <div data-impact="kept">
      <p class="muted">
        As it was kept on {formatTime(found.measureTime)}, due on day {found.day}.
      </p>
      {found.impact ? <ImpactWhole impact={found.impact} /> : <p>It could not be made: {found.unmeasurable}.</p>}
    </div>
  );
}

interface ListedProps {
  measurements: readonly Measurement[];
  ticketId: string;
  shown: Shown;
  search: string;
}

function Listed({ measurements, ticketId, shown, search }: ListedProps) {
  return (
    <div class="wide">
      <table>
        <caption class="unseen">Kept measurements</caption>
        <thead>
          <tr>
            <th scope="col">Due on day</th>
            <th scope="col">Made</th>
            <th scope="col">Verdict</th>
            <th scope="col">Effect, 95 %</th>
            <th scope="col">Confidence</th>
            <th scope="col">Return</th>
          </tr>
        </thead>
        <tbody>
          {measurements.map(({ measurementId, day, measureTime, impact, unmeasurable }) => (
            <tr key={measurementId} data-measurement={measurementId}>
              <th scope="row">
                <Link
                  to={addressOfShown(ticketId, search, { days: shown.days, measurement: measurementId })}
                  current={shown.measurement === measurementId ? "true" : undefined}
                >
                  Day {day}
                </Link>
              </th>
              <td>{formatTime(measureTime)}</td>
              {impact ? (
                <Cells impact={impact} />
              ) : (
                <td class="text" colSpan={4}>
                  could not be made: {unmeasurable}
                </td>
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Cells({ impact: { metric, verdict, effect, confidence, roi } }: { impact: Impact }) {
  const unit = metric?.unit ?? "";
  return (
    <>
      <td>
        <Verdict verdict={verdict} effect={effect?.value} />
      </td>
      <td>
        {effect ? formatChange(effect.value, unit) : "–"}{" "}
        {effect?.interval && <span class="ends">{formatChangeInterval(effect.interval, unit)}</span>}
      </td>
      <td>{confidence ? formatPart(confidence.value) : "–"}</td>
      <td>{roi?.net ? formatMoney(roi.net.value, roi.currency) : "not computed"}</td>
    </>
  );
}
