import type { Loaded } from "../api/load";
import { Details } from "../details";
import { formatCount, formatMoney, formatMoneyInterval, formatPrice, formatTime } from "../format";
import type { Estimate } from "../gen/kaizen/analysis/v1/analysis_pb";
import type {
  Contribution,
  CumulativePoint,
  GetCumulativeRoiResponse,
  Total,
} from "../gen/kaizen/tracker/v1/impact_pb";
import { ErrorNotice } from "../overview/error";
import { CumulativeChart } from "./cumulative-chart";
import { wordOfKind } from "./words";

/** Tickets from which on benefits are shrunk. */
const LEAST_SHRUNK = 4;

/** What all measured tickets returned: as measured and shrunk, by what came of them, by category and over time. */
export function CumulativePanel({ answer, category }: { answer: Loaded<GetCumulativeRoiResponse>; category: string }) {
  const found = answer.state === "failed" ? undefined : answer.value;
  return (
    <section class="panel" aria-labelledby="returned" data-returned={answer.state}>
      <h2 id="returned">What tickets returned{category && ` · ${category}`}</h2>
      {answer.state === "failed" && <ErrorNotice failure={answer.failure} retry={answer.retry} />}
      {answer.state === "loading" && !found && <div class="skeleton low" role="status" aria-label="Loading returns" />}
      {found && found.contributions.length === 0 && (
        <p class="blank low">
          No ticket has been measured yet: that is done 7, 14 and 28 days after one is implemented.
        </p>
      )}
      {found && found.contributions.length > 0 && <Returned found={found} />}
    </section>
  );
}

function Returned({ found }: { found: GetCumulativeRoiResponse }) {
  const { currency, total, kinds, categories, points, contributions } = found;
  return (
    <>
      <div class="sums">
        <Sum name="as measured" of={total?.net} currency={currency} />
        <Sum name="shrunk" of={total?.shrunk} currency={currency} />
        <p class="muted">
          {formatCount(total?.tickets ?? 0)} of {formatCount(contributions.length)} measured tickets, less their cost of{" "}
          {formatPrice(total?.cost ?? 0, currency)}. The best of many are nearly always measured too high: shrunk, each
          benefit is drawn towards the mean of all (James and Stein).{" "}
          {(total?.tickets ?? 0) < LEAST_SHRUNK
            ? "Fewer than four tickets stay as they are: how far their truths lie apart cannot be told yet."
            : "Where few of many tickets work, that takes too much off those few: their own intervals tell more."}
        </p>
      </div>
      {points.length > 0 && (
        <>
          <CumulativeChart points={points} currency={currency} />
          <Details
            class="points"
            summary={
              <>
                Table<span class="unseen"> of returns over time</span>
              </>
            }
          >
            {() => <Points points={points} currency={currency} />}
          </Details>
        </>
      )}
      <Totals title="What came of them" name="kinds" totals={kinds} currency={currency} word={wordOfKind} />
      <Totals title="By category" name="categories" totals={categories} currency={currency} word={(name) => name} />
      <Uncounted contributions={contributions.filter(({ notComputed }) => notComputed)} />
    </>
  );
}

function Points({ points, currency }: { points: readonly CumulativePoint[]; currency: string }) {
  return (
    <table>
      <caption class="unseen">Returns over time</caption>
      <thead>
        <tr>
          <th scope="col">Until</th>
          <th scope="col">Tickets</th>
          <th scope="col">As measured</th>
          <th scope="col">Shrunk</th>
        </tr>
      </thead>
      <tbody>
        {points.map(({ time, tickets, net, shrunk }) => (
          <tr key={`${time?.seconds}.${time?.nanos}`}>
            <th scope="row">{formatTime(time)}</th>
            <td>{formatCount(tickets)}</td>
            <td>{formatMoney(net, currency)}</td>
            <td>{formatMoney(shrunk, currency)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Sum({ name, of, currency }: { name: string; of: Estimate | undefined; currency: string }) {
  return (
    <div data-sum={name}>
      <p class="value">{of ? formatMoney(of.value, currency) : "not computed"}</p>
      <p class="muted">
        {name}
        {of?.interval && `, 95\u202f% ${formatMoneyInterval(of.interval, currency)}`}
      </p>
    </div>
  );
}

interface TotalsProps {
  title: string;
  name: string;
  totals: readonly Total[];
  currency: string;
  word: (name: string) => string;
}

function Totals({ title, name, totals, currency, word }: TotalsProps) {
  if (totals.length === 0) return null;
  const ends = (of: Estimate | undefined) =>
    of?.interval ? <span class="ends">{formatMoneyInterval(of.interval, currency)}</span> : null;
  return (
    <div class="wide">
      <table data-totals={name}>
        <caption>{title}</caption>
        <thead>
          <tr>
            <th scope="col" />
            <th scope="col">Tickets</th>
            <th scope="col">As measured, 95 %</th>
            <th scope="col">Shrunk, 95 %</th>
            <th scope="col">Cost in it</th>
          </tr>
        </thead>
        <tbody>
          {totals.map((total) => (
            <tr key={total.name}>
              <th scope="row">{word(total.name) || "no category"}</th>
              <td>{formatCount(total.tickets)}</td>
              <td>
                {total.net ? formatMoney(total.net.value, currency) : "–"} {ends(total.net)}
              </td>
              <td>
                {total.shrunk ? formatMoney(total.shrunk.value, currency) : "–"} {ends(total.shrunk)}
              </td>
              <td>{formatPrice(total.cost, currency)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

/** Measured tickets that are in no sum, each with the reason. */
function Uncounted({ contributions }: { contributions: readonly Contribution[] }) {
  if (contributions.length === 0) return null;
  return (
    <div data-uncounted={contributions.length}>
      <Details
        summary={`${formatCount(contributions.length)} measured ${contributions.length === 1 ? "ticket counts" : "tickets count"} nowhere`}
      >
        {() => (
          <ul>
            {contributions.map(({ ticketId, title, notComputed }) => (
              <li key={ticketId}>
                <span class="id">{ticketId}</span> {title}: {notComputed}
              </li>
            ))}
          </ul>
        )}
      </Details>
    </div>
  );
}
