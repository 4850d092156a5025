import type { Clients } from "../api/clients";
import { useLoad } from "../api/load";
import { usePlace, useTitle } from "../location";
import { type Asked, addressOfList, parseAsked, ticketOf } from "./asked";
import { CalibrationPanel } from "./calibration";
import { CumulativePanel } from "./cumulative";
import { Filters } from "./filters";
import { List } from "./list";
import { TicketPage } from "./ticket";
import { Unfit } from "./unfit";

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

function Tickets({ client, asked, search }: { client: Clients["tracker"]; asked: Asked; search: string }) {
  const { category } = asked;
  useTitle("Tickets and impact");
  const cumulative = useLoad("GetCumulativeRoi", category, (signal) =>
    client.getCumulativeRoi({ category }, { signal }),
  );
  const calibration = useLoad("GetCalibration", "", (signal) => client.getCalibration({}, { signal }));
  const { contributions, currency } =
    cumulative.state === "ready" ? cumulative.value : { contributions: [], currency: "" };
  return (
    <>
      <div class="heading">
        <h1>Tickets and impact</h1>
        <p class="muted">What was recommended, what was done, and what it changed</p>
      </div>
      <div class="panels">
        <CumulativePanel answer={cumulative} category={category} />
        <CalibrationPanel answer={calibration} />
      </div>
      <section class="panel" aria-labelledby="tickets">
        <h2 id="tickets">Tickets</h2>
        <Filters asked={asked} />
        <List client={client} asked={asked} search={search} contributions={contributions} currency={currency} />
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
