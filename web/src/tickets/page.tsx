import type { Clients } from "../api/clients";
import { useLoad } from "../api/load";
import { usePlace, useTitle } from "../location";
import { type Asked, addressOfList, parseAsked, ticketOf } from "./asked";
import { CalibrationPanel } from "./calibration";
import { CumulativePanel } from "./cumulative";
import { Filters } from "./filters";
import { List, requestOf } from "./list";
import { type Live, useLive } from "./live";
import { TicketPage } from "./ticket";
import { Unfit } from "./unfit";
import { Updated, useSince } from "./updated";

/** Tickets and impact: all of them with what they returned together, or one whole. */
export function TicketsPage({ client }: { client: Clients["tracker"] }) {
  const { path, search } = usePlace();
  const ticket = ticketOf(path);
  if (ticket !== undefined) return <TicketPage key={ticket} client={client} id={ticket} search={search} />;
  const asked = askedOf(search);
  if (typeof asked === "string") {
    return <Unfit title="Tickets and impact" reason={asked} back={addressOfList("")} backTo="All tickets" />;
  }
  return <Tickets client={client} asked={asked} search={search} />;
}

interface Props {
  client: Clients["tracker"];
  asked: Asked;
  search: string;
}

function Tickets({ client, asked, search }: Props) {
  useTitle("Tickets and impact");
  const live = useLive(client, "");
  return (
    <>
      <div class="heading">
        <h1>Tickets and impact</h1>
        <p class="muted">What was recommended, what was done, and what it changed</p>
      </div>
      {live.isReady ? (
        <Whole client={client} asked={asked} search={search} live={live} />
      ) : (
        <div class="skeleton" role="status" aria-label="Loading tickets" />
      )}
    </>
  );
}

function Whole({ client, asked, search, live }: Props & { live: Live }) {
  const { category } = asked;
  const { version } = live;
  const cumulative = useLoad("GetCumulativeRoi", `${version} ${category}`, (signal) =>
    client.getCumulativeRoi({ category }, { signal }),
  );
  const calibration = useLoad("GetCalibration", String(version), (signal) => client.getCalibration({}, { signal }));
  const returned = cumulative.state === "failed" ? undefined : cumulative.value;
  const { contributions, currency } = returned ?? { contributions: [], currency: "" };
  const request = requestOf(asked);
  const tickets = useLoad("ListTickets", `${version} ${JSON.stringify(request)}`, (signal) =>
    client.listTickets(request, { signal }),
  );
  const readAt = useSince(tickets.state === "ready" ? tickets.value : undefined);
  return (
    <>
      <Updated live={live} readAt={readAt} />
      <div class="panels">
        <CumulativePanel answer={cumulative} category={category} />
        <CalibrationPanel answer={calibration} />
      </div>
      <section class="panel" aria-labelledby="tickets">
        <h2 id="tickets">Tickets</h2>
        <Filters asked={asked} />
        <List answer={tickets} page={asked.page} search={search} contributions={contributions} currency={currency} />
      </section>
    </>
  );
}

/** The filters of the address, or why they cannot be. */
function askedOf(search: string): Asked | string {
  try {
    return parseAsked(search);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
