import type { Clients } from "../api/clients";
import { usePlace, useTitle } from "../location";
import { titleOfSlice } from "../overview/causes";
import { titleOfSpan } from "../range";
import { Unfit } from "../tickets/unfit";
import { type Asked, eventOf, parseAsked } from "./asked";
import { DecisionPage } from "./decision";
import { List } from "./list";

/** The decisions that evidence links to, or one of them whole. */
export function DecisionsPage({ client }: { client: Clients["metrics"] }) {
  const { search } = usePlace();
  const event = eventOf(search);
  if (event) return <DecisionPage key={event} client={client} id={event} search={search} />;
  const asked = askedOf(search);
  if (typeof asked === "string") return <Unfit title="Decisions" reason={asked} back="/" backTo="Overview" />;
  return <Decisions client={client} asked={asked} search={search} />;
}

interface Props {
  client: Clients["metrics"];
  asked: Asked;
  search: string;
}

function Decisions({ client, asked, search }: Props) {
  const { component, filters } = asked;
  useTitle("Decisions");
  return (
    <>
      <div class="heading">
        <h1>Decisions</h1>
        <p class="muted">
          {component || "every component"} · {titleOfSpan(asked)} UTC
          {filters.length > 0 && ` · ${titleOfSlice(filters)}`}
        </p>
      </div>
      <List client={client} asked={asked} search={search} />
    </>
  );
}

/** What the address asks for, or why it cannot be. */
function askedOf(search: string): Asked | string {
  try {
    return parseAsked(search);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
