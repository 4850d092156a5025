import { formatTime } from "../format";
import type { TicketEvent } from "../gen/kaizen/tracker/v1/tracker_pb";
import { Verdict } from "./badges";

/** Everything that happened to a ticket, the latest first. */
export function Life({ events }: { events: readonly TicketEvent[] }) {
  return (
    <section class="panel" aria-labelledby="life">
      <h2 id="life">What happened</h2>
      {events.length === 0 && <p class="muted">Nothing is on record.</p>}
      <ol class="life">
        {[...events].reverse().map(({ eventId, eventTime, actor, comment, changes, measured }) => (
          <li key={eventId} data-event={eventId}>
            <time>{formatTime(eventTime)}</time> <strong>{actor}</strong>
            {changes.map(({ field, before, after }) => (
              <span key={field} class="step">
                {field.replaceAll("_", " ")} {before && <del>{brief(before)}</del>}
                {before && after && <span aria-hidden="true"> → </span>}
                {after ? <ins>{brief(after)}</ins> : " no longer"}
              </span>
            ))}
            {measured && (
              <span class="step">
                measured on day {measured.day}: <Verdict verdict={measured.verdict} />
              </span>
            )}
            {comment && <q>{comment}</q>}
          </li>
        ))}
      </ol>
    </section>
  );
}

/** Characters of a value that are shown. */
const SHOWN = 80;

const brief = (text: string): string => (text.length > SHOWN ? `${text.slice(0, SHOWN)}…` : text);
