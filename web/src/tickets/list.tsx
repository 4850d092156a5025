import type { Loaded } from "../api/load";
import { formatMoney, formatTime } from "../format";
import type { Contribution } from "../gen/kaizen/tracker/v1/impact_pb";
import type { ListTicketsResponse, Ticket } from "../gen/kaizen/tracker/v1/tracker_pb";
import { Link } from "../link";
import { ErrorNotice } from "../overview/error";
import { type Asked, addressOfList, addressOfTicket, alter, ORDERS } from "./asked";
import { State, Verdict } from "./badges";

/** Tickets a page. */
const PAGE_SIZE = 25;

/** What the service is asked for. */
export const requestOf = ({ states, category, owner, text, page, order }: Asked) => ({
  pageSize: PAGE_SIZE,
  pageToken: page,
  orderBy: ORDERS[order],
  states,
  category,
  owner,
  text,
});

interface Props {
  answer: Loaded<ListTicketsResponse>;
  /** Token of the page; empty for the first. */
  page: string;
  search: string;
  /** What measured tickets contribute, with their verdicts; empty while that is not known. */
  contributions: readonly Contribution[];
  currency: string;
}

/** One page of the tickets that the address asks for. */
export function List({ answer, page, search, contributions, currency }: Props) {
  if (answer.state === "failed") {
    return (
      <div data-list="failed">
        <ErrorNotice failure={answer.failure} retry={answer.retry} />
        {page && <Link to={addressOfList(alter(search, { page: "" }))}>First page</Link>}
      </div>
    );
  }
  if (!answer.value) return <div class="skeleton low" role="status" data-list="loading" aria-label="Loading tickets" />;
  const { tickets, nextPageToken } = answer.value;
  return (
    <div data-list={answer.state} aria-busy={answer.state === "loading"}>
      {tickets.length === 0 ? (
        <Nothing isFiltered={search !== ""} />
      ) : (
        <div class="wide">
          <table class="tickets">
            <caption class="unseen">Tickets</caption>
            <thead>
              <tr>
                <th scope="col">Ticket</th>
                <th scope="col">State</th>
                <th scope="col">Measured</th>
                <th scope="col">Return</th>
                <th scope="col">Owner</th>
                <th scope="col">Category</th>
                <th scope="col">Due</th>
                <th scope="col">Changed</th>
              </tr>
            </thead>
            <tbody>
              {tickets.map((ticket) => (
                <Row
                  key={ticket.ticketId}
                  ticket={ticket}
                  search={search}
                  currency={currency}
                  contribution={contributions.find(({ ticketId }) => ticketId === ticket.ticketId)}
                />
              ))}
            </tbody>
          </table>
        </div>
      )}
      <nav class="pages" aria-label="Pages of tickets">
        {page && <Link to={addressOfList(alter(search, { page: "" }))}>First page</Link>}
        {nextPageToken && <Link to={addressOfList(alter(search, { page: nextPageToken }))}>Next page</Link>}
      </nav>
    </div>
  );
}

interface RowProps {
  ticket: Ticket;
  search: string;
  currency: string;
  contribution: Contribution | undefined;
}

function Row({ ticket, search, currency, contribution }: RowProps) {
  const { ticketId, state, title, owner, category, dueDate, updateTime } = ticket;
  return (
    <tr data-ticket={ticketId}>
      <th scope="row">
        <Link to={addressOfTicket(ticketId, search)}>
          <span class="id">{ticketId}</span> {title}
        </Link>
      </th>
      <td>
        <State state={state} />
      </td>
      <td>{contribution ? <Verdict verdict={contribution.verdict} /> : "–"}</td>
      <td>{contribution ? <Returned of={contribution} currency={currency} /> : "–"}</td>
      <td>{owner || "nobody"}</td>
      <td>{category || "–"}</td>
      <td>{dueDate || "–"}</td>
      <td>{formatTime(updateTime).slice(0, 10)}</td>
    </tr>
  );
}

function Returned({ of: { net, notComputed }, currency }: { of: Contribution; currency: string }) {
  if (!net) return <span title={notComputed}>not computed</span>;
  return <>{formatMoney(net.value, currency)}</>;
}

function Nothing({ isFiltered }: { isFiltered: boolean }) {
  if (isFiltered) {
    return (
      <p class="blank low">
        <span>
          No ticket is like that. <Link to="/tickets">All tickets</Link>
        </span>
      </p>
    );
  }
  return (
    <p class="blank low">
      <span>
        There are no tickets yet. <code>kaizen recommendations accept ID --ticket</code> makes one of a recommendation,{" "}
        <code>kaizen tickets create</code> one by hand.
      </span>
    </p>
  );
}
