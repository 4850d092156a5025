import { formatChange, formatChangeInterval, formatTime } from "../format";
import type { Guardrail, Overlap } from "../gen/kaizen/tracker/v1/impact_pb";
import { Link, Outside } from "../link";
import { addressOfTicket } from "./asked";
import { Verdict } from "./badges";

/** What else there is to see: the other metrics of the component, and other changes in these days. */
export function Around({ guardrails, overlaps }: { guardrails: readonly Guardrail[]; overlaps: readonly Overlap[] }) {
  return (
    <>
      <section class="broad" aria-label="Guardrails">
        <h3>The other metrics of the component</h3>
        {guardrails.length === 0 ? <p class="muted">There are none.</p> : <Guardrails guardrails={guardrails} />}
      </section>
      <section aria-label="Other changes">
        <h3>What else changed in these days</h3>
        {overlaps.length === 0 ? <p class="muted">Nothing that is on record.</p> : <Overlaps overlaps={overlaps} />}
      </section>
    </>
  );
}

function Guardrails({ guardrails }: { guardrails: readonly Guardrail[] }) {
  return (
    <div class="wide">
      <table>
        <caption class="unseen">The other metrics of the component</caption>
        <thead>
          <tr>
            <th scope="col">Metric</th>
            <th scope="col">Verdict</th>
            <th scope="col">Effect, 95 %</th>
          </tr>
        </thead>
        <tbody>
          {guardrails.map(({ metric, verdict, effect, unmeasurable }) => {
            const unit = metric?.unit ?? "";
            return (
              <tr key={metric?.name} data-guardrail={metric?.name}>
                <th scope="row">{metric?.title}</th>
                {unmeasurable ? (
                  <td class="text" colSpan={2}>
                    not measured: {unmeasurable}
                  </td>
                ) : (
                  <>
                    <td>
                      <Verdict verdict={verdict} effect={effect?.value} />
                    </td>
                    <td>
                      {effect ? formatChange(effect.value, unit) : "–"}{" "}
                      {effect?.interval && <span class="ends">{formatChangeInterval(effect.interval, unit)}</span>}
                    </td>
                  </>
                )}
              </tr>
            );
          })}
        </tbody>
      </table>
    </div>
  );
}

function Overlaps({ overlaps }: { overlaps: readonly Overlap[] }) {
  return (
    <ul class="overlaps">
      {overlaps.map(({ ticketId, change, after }) => (
        <li
          key={`${formatTime(change?.changeTime)} ${ticketId} ${change?.version}`}
          data-overlap={after ? "after" : "before"}
        >
          <time>{formatTime(change?.changeTime)}</time> {change?.kind} of {change?.component} {change?.version}
          {ticketId && (
            <>
              {" "}
              <Link to={addressOfTicket(ticketId, "")}>
                <span class="id">{ticketId}</span>
              </Link>
            </>
          )}
          {change?.link && (
            <>
              {" "}
              <Outside url={change.link}>{change.link}</Outside>
            </>
          )}
          <span class="note">
            {after ? ", after the change: its effect is in the measurement" : ", before the change"}
          </span>
        </li>
      ))}
    </ul>
  );
}
