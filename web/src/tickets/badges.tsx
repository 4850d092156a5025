import type { ImpactVerdict } from "../gen/kaizen/tracker/v1/impact_pb";
import type { TicketState } from "../gen/kaizen/tracker/v1/tracker_pb";
import { saidOf, wordOfState } from "./words";

/** A state in words. */
export function State({ state }: { state: TicketState }) {
  const word = wordOfState(state);
  return <span class={`state ${word.replaceAll(" ", "-")}`}>{word}</span>;
}

/** A verdict: a sign and words, so that colour says nothing alone. The sign is the effect's way where it is given. */
export function Verdict({ verdict, effect }: { verdict: ImpactVerdict; effect?: number | undefined }) {
  const { words, sign, tone } = saidOf(verdict, effect);
  return (
    <span class={`change ${tone}`}>
      <span aria-hidden="true">{sign}</span> <span class="word">{words}</span>
    </span>
  );
}
