import { ImpactVerdict } from "../gen/kaizen/tracker/v1/impact_pb";
import { LinkKind, TicketState } from "../gen/kaizen/tracker/v1/tracker_pb";

const spaced = (name: string | undefined): string => (name ?? "").toLowerCase().replaceAll("_", " ");

/** A state for people. */
export const wordOfState = (state: TicketState): string => spaced(TicketState[state]);

/** What a link leads to, for people. */
export const wordOfLink = (kind: LinkKind): string => spaced(LinkKind[kind]);

/** What is said of a change: words, a sign beside them, and what it is coloured as. */
export interface Said {
  words: string;
  sign: string;
  tone: "better" | "worse" | "none";
}

const SAID: Record<ImpactVerdict, Said> = {
  [ImpactVerdict.UNSPECIFIED]: { words: "not measured", sign: "–", tone: "none" },
  [ImpactVerdict.IMPROVED]: { words: "improved", sign: "▲", tone: "better" },
  [ImpactVerdict.NO_DETECTABLE_CHANGE]: { words: "no detectable change", sign: "■", tone: "none" },
  [ImpactVerdict.WORSE]: { words: "worse", sign: "▼", tone: "worse" },
  [ImpactVerdict.CANNOT_TELL]: { words: "cannot tell", sign: "?", tone: "none" },
};

/** What a verdict says. An improvement points the way the metric went, up or down. */
export function saidOf(verdict: ImpactVerdict, effect?: number): Said {
  const said = SAID[verdict] ?? SAID[ImpactVerdict.UNSPECIFIED];
  const moved = said.tone !== "none" && effect !== undefined;
  return moved ? { ...said, sign: effect < 0 ? "▼" : "▲" } : said;
}

const METHODS: Record<string, string> = {
  randomised_welch: "randomised share, Welch's test",
  randomised_cuped: "randomised share, CUPED",
  control_regression: "regression on untouched slices",
  synthetic_control: "synthetic control of untouched slices",
  seasonal_level: "level before and after, seasons taken out",
};

/** A method for people; its name where it is a new one. */
export const wordOfMethod = (method: string): string => METHODS[method] ?? method;

const RUNGS: Record<string, string> = {
  randomised: "a randomised share",
  controls: "untouched slices",
  seasonal: "before and after alone",
};

/** A rung of the ladder for people; its name where it is a new one. */
export const wordOfRung = (rung: string): string => RUNGS[rung] ?? rung;

const KINDS: Record<string, string> = {
  gain: "gains",
  avoided_loss: "avoided losses",
  failed_work: "failed work",
};

/** What came of tickets, for people. */
export const wordOfKind = (kind: string): string => KINDS[kind] ?? kind;
