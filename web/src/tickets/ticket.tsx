import type { Clients } from "../api/clients";
import { useLoad } from "../api/load";
import { formatTime } from "../format";
import type { Ticket, TicketEvent } from "../gen/kaizen/tracker/v1/tracker_pb";
import { Link, Outside } from "../link";
import { useTitle } from "../location";
import { ErrorNotice } from "../overview/error";
import { addressOfList, addressOfTicket, parseShown, type Shown } from "./asked";
import { State } from "./badges";
import { Fact, Facts } from "./facts";
import { ImplementationSection } from "./implementation";
import { Life } from "./life";
import { type Live, useLive } from "./live";
import { Measured } from "./measured";
import { Recommended } from "./recommended";
import { Unfit } from "./unfit";
import { Updated, useSince } from "./updated";
import { wordOfLink } from "./words";

interface Props {
  client: Clients["tracker"];
  id: string;
  search: string;
}

/** One ticket: what it is, what it changed, what was forecast, what was done, and everything that happened to it. */
export function TicketPage({ client, id, search }: Props) {
  useTitle(`${id} · Tickets and impact`);
  const shown = shownOf(search);
  if (typeof shown === "string") {
    return (
      <Unfit title={id} reason={shown} back={addressOfTicket(id, search)} backTo={`${id} as it is shown usually`} />
    );
  }
  return (
    <>
      <p class="back">
        <Link to={addressOfList(search)}>All tickets</Link>
      </p>
      <Followed client={client} id={id} shown={shown} search={search} />
    </>
  );
}

/** The ticket as it is, again whenever it changes. */
function Followed({ client, id, shown, search }: Props & { shown: Shown }) {
  const live = useLive(client, id);
  return live.isReady ? (
    <ReadAgain client={client} id={id} shown={shown} search={search} live={live} />
  ) : (
    <p role="status">Loading {id}…</p>
  );
}

function ReadAgain({ client, id, shown, search, live }: Props & { shown: Shown; live: Live }) {
  const { version } = live;
  const answer = useLoad(`Reading ticket ${id}`, `${version} ${id}`, (signal) => read(client, id, signal));
  const readAt = useSince(answer.state === "ready" ? answer.value : undefined);
  if (answer.state === "failed") return <ErrorNotice failure={answer.failure} retry={answer.retry} />;
  if (!answer.value) return <p role="status">Loading {id}…</p>;
  return (
    <>
      <Updated live={live} readAt={readAt} />
      <Whole client={client} {...answer.value} version={version} shown={shown} search={search} />
    </>
  );
}

interface Read {
  ticket: Ticket;
  events: readonly TicketEvent[];
}

/** Reads a ticket and everything that happened to it. */
async function read(client: Clients["tracker"], ticketId: string, signal: AbortSignal): Promise<Read> {
  const events: TicketEvent[] = [];
  const { ticket } = await client.getTicket({ ticketId }, { signal });
  if (!ticket) throw new Error("the answer holds no ticket");
  let pageToken = "";
  do {
    const page = await client.listTicketEvents({ ticketId, pageSize: 500, pageToken }, { signal });
    events.push(...page.events);
    pageToken = page.nextPageToken;
  } while (pageToken);
  return { ticket, events };
}

/** What the address shows of the ticket, or why it cannot. */
function shownOf(search: string): Shown | string {
  try {
    return parseShown(search);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

interface WholeProps extends Read {
  client: Clients["tracker"];
  /** Another one whenever the ticket has changed. */
  version: number;
  shown: Shown;
  search: string;
}

function Whole({ client, ticket, events, version, shown, search }: WholeProps) {
  const { ticketId, title, state, description, recommendation, implementation } = ticket;
  return (
    <article data-ticket={ticketId}>
      <div class="heading">
        <h1>
          <span class="id">{ticketId}</span> {title}
        </h1>
        <State state={state} />
      </div>
      {description && <p class="description">{description}</p>}
      <About ticket={ticket} />
      <Measured client={client} ticket={ticket} version={version} shown={shown} search={search} />
      <div class="panels even">
        {recommendation && <Recommended frozen={recommendation} />}
        <ImplementationSection implementation={implementation} />
      </div>
      <Life events={events} />
    </article>
  );
}

function About({ ticket }: { ticket: Ticket }) {
  const { owner, labels, dueDate, category, metric, duplicateOf, createTime, creator, links } = ticket;
  return (
    <section class="panel" aria-label="About the ticket">
      <Facts>
        <Fact name="owner">{owner || "nobody"}</Fact>
        <Fact name="metric">{metric}</Fact>
        <Fact name="category">{category}</Fact>
        <Fact name="labels">{labels.join(", ")}</Fact>
        <Fact name="due">{dueDate}</Fact>
        <Fact name="duplicate of">
          {duplicateOf && <Link to={addressOfTicket(duplicateOf, "")}>{duplicateOf}</Link>}
        </Fact>
        <Fact name="created">
          {formatTime(createTime)} by {creator}
        </Fact>
        {links.map(({ kind, url, title }) => (
          <Fact key={url} name={wordOfLink(kind)}>
            <Outside url={url}>{title || url}</Outside>
          </Fact>
        ))}
      </Facts>
    </section>
  );
}
