import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import type { Clients } from "../api/clients";
import { useLoad } from "../api/load";
import { formatTime, formatValue } from "../format";
import type { DecisionSummary } from "../gen/kaizen/analysis/v1/metrics_pb";
import { Link } from "../link";
import { ErrorNotice } from "../overview/error";
import { type Asked, addressOfDecision, addressOfPage } from "./asked";

/** Decisions a page. */
const PAGE_SIZE = 50;

interface Props {
  client: Clients["metrics"];
  asked: Asked;
  search: string;
}

/** One page of the decisions that the address asks for, newest first. */
export function List({ client, asked, search }: Props) {
  const { component, from, to, filters, page } = asked;
  const answer = useLoad("ListDecisions", search, (signal) => {
    const window = { startTime: timestampFromMs(from), endTime: timestampFromMs(to) };
    const wanted = filters.map(({ dimension, value }) => ({ dimension, values: [value] }));
    return client.listDecisions(
      { component, window, filters: wanted, pageSize: PAGE_SIZE, pageToken: page },
      { signal },
    );
  });
  if (answer.state === "failed") return <ErrorNotice failure={answer.failure} retry={answer.retry} />;
  if (!answer.value)
    return <div class="skeleton low" role="status" data-list="loading" aria-label="Loading decisions" />;
  const { decisions, nextPageToken } = answer.value;
  return (
    <div data-list={answer.state} aria-busy={answer.state === "loading"}>
      {decisions.length === 0 ? (
        <p class="blank low">No decision is like that.</p>
      ) : (
        <Table {...{ decisions, search }} />
      )}
      <nav class="pages" aria-label="Pages of decisions">
        {page && <Link to={addressOfPage(search, "")}>First page</Link>}
        {nextPageToken && <Link to={addressOfPage(search, nextPageToken)}>Next page</Link>}
      </nav>
    </div>
  );
}

function Table({ decisions, search }: { decisions: readonly DecisionSummary[]; search: string }) {
  return (
    <div class="wide">
      <table class="tickets">
        <caption class="unseen">Decisions, newest first</caption>
        <thead>
          <tr>
            <th scope="col">Decision</th>
            <th scope="col">Time</th>
            <th scope="col">Method</th>
            <th scope="col">Industry</th>
            <th scope="col">Confidence</th>
            <th scope="col">Took</th>
            <th scope="col">Quality</th>
            <th scope="col">Carried out</th>
            <th scope="col">Reached its aim</th>
          </tr>
        </thead>
        <tbody>
          {decisions.map((decision) => (
            <Row key={decision.eventId} decision={decision} search={search} />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function Row({ decision, search }: { decision: DecisionSummary; search: string }) {
  const { eventId, decisionTime, methodUsed, industry, confidenceLevel, success, successIndicator } = decision;
  return (
    <tr data-decision={eventId}>
      <th scope="row">
        <Link to={addressOfDecision(eventId, search)}>
          <span class="id">{eventId}</span>
        </Link>
      </th>
      <td>{formatTime(decisionTime)}</td>
      <td>{methodUsed || "–"}</td>
      <td>{industry || "–"}</td>
      <td>{confidenceLevel || "–"}</td>
      <td>{measured(decision.processingTimeSeconds, "seconds")}</td>
      <td>{measured(decision.qualityScore, "score")}</td>
      <td>{success ? "yes" : "no"}</td>
      <td>{successIndicator === undefined ? "–" : successIndicator ? "yes" : "no"}</td>
    </tr>
  );
}

/** A value in its unit, where there is one. */
export const measured = (value: number | undefined, unit: string): string =>
  value === undefined ? "–" : formatValue(value, unit);
