//! The tracker of the stand-in: made-up tickets, measurements and returns in which every field says something.

import type { MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import {
  CorrectionState,
  type GetCalibrationResponseSchema,
  type GetCumulativeRoiResponseSchema,
  type ImpactDaySchema,
  type ImpactSchema,
  ImpactVerdict,
  type MeasurementSchema,
  type ReturnSchema,
} from "../src/gen/kaizen/tracker/v1/impact_pb";
import {
  LinkKind,
  type ListTicketsRequest,
  type TicketEventSchema,
  type TicketSchema,
  TicketState,
  TrackerService,
} from "../src/gen/kaizen/tracker/v1/tracker_pb";

const DAY = 86_400_000;
/** When the change of T-17 went live. */
export const CHANGE = Date.UTC(2026, 2, 2, 9);

/** What the tracker does out of the ordinary; may be changed while it serves. */
export interface TrackerBehaviour {
  /** These calls answer UNAVAILABLE. */
  broken: Set<string>;
  /** There are no tickets. */
  empty: boolean;
  /** No ticket has been measured. */
  unmeasured: boolean;
  /** Nobody said what the metric is worth. */
  worthless: boolean;
  /** Owners that have changed. */
  owners: Map<string, string>;
  /** Calls that were made, with what was asked. */
  asked: { call: string; request: unknown }[];
  /** What happened to tickets since the page was opened, which is told to those who watch. */
  happened: { eventId: string; ticketId: string }[];
  /** Those who watch, woken when something happens. */
  watchers: Set<() => void>;
}

/** A ticket's owner changes, and whoever watches is told. */
export function give(behaviour: TrackerBehaviour, ticketId: string, owner: string) {
  behaviour.owners.set(ticketId, owner);
  behaviour.happened.push({ eventId: String(LATEST + 1 + behaviour.happened.length), ticketId });
  for (const wake of behaviour.watchers) wake();
}

export const ordinaryTracker = (): TrackerBehaviour => ({
  broken: new Set(),
  empty: false,
  unmeasured: false,
  worthless: false,
  owners: new Map(),
  asked: [],
  happened: [],
  watchers: new Set(),
});

/** The last event before the page is opened. */
export const LATEST = 100;

const at = (days: number) => timestampFromMs(CHANGE + days * DAY);
const days = (from: number, to: number) => ({ startTime: at(from), endTime: at(to) });
const estimate = (value: number, half: number) => ({ value, interval: { lower: value - half, upper: value + half } });

const METRIC = {
  name: "lead_enrichment.success_rate",
  component: "lead_enrichment",
  componentTitle: "Lead enrichment",
  title: "Success rate",
  unit: "ratio",
};
const SLICE = [{ dimension: "method_used", value: "registry_lookup" }];

const RECOMMENDATION = {
  recommendationId: "re-1",
  rule: "slice_regression",
  category: "enrichment",
  metric: METRIC.name,
  slice: SLICE,
  title: "Lead enrichment: Success rate got worse for method_used = registry_lookup",
  actionItems: ["Read the latest decisions that went wrong", "Undo or mend it"],
  effortHours: 8,
  certainty: 0.99,
  evidence: { what: "Success rate", unit: "ratio", effect: estimate(-0.257, 0.045) },
  estimatedImpact: { perWeek: estimate(310, 190), improvementPercent: 9.4 },
  roi: {
    currency: "EUR",
    horizonWeeks: 12,
    benefit: estimate(13_280, 4_000),
    cost: 640,
    roi: estimate(19.75, 6),
    probabilityAboveZero: 0.998,
  },
};

/** The ticket of which everything is known. */
const WHOLE: MessageInitShape<typeof TicketSchema> = {
  ticketId: "T-17",
  state: TicketState.VERIFIED,
  title: RECOMMENDATION.title,
  description: "For method_used = registry_lookup, Success rate went from 92.0 % to 66.0 %.",
  category: "enrichment",
  metric: METRIC.name,
  rule: RECOMMENDATION.rule,
  owner: "anna",
  labels: ["prompt", "registry"],
  dueDate: "2026-03-20",
  links: [
    { kind: LinkKind.PULL_REQUEST, url: "https://code.example/pull/7", title: "Mend the prompt" },
    { kind: LinkKind.OTHER, url: "javascript:alert(1)", title: "no address" },
  ],
  recommendation: { analysisId: "an-1", recommendation: RECOMMENDATION, period: days(-13, -6) },
  implementation: {
    implementTime: at(0),
    version: "v13",
    description: "The prompt asks for the register's number again.",
    kind: "prompt",
    component: "lead_enrichment",
    hours: 6,
    runningCostPerDay: 1.5,
    slice: SLICE,
  },
  createTime: at(-5),
  creator: "anna",
  updateTime: at(14),
};

const STATES = [
  TicketState.PROPOSED,
  TicketState.ACCEPTED,
  TicketState.IN_PROGRESS,
  TicketState.IMPLEMENTED,
  TicketState.MEASURING,
  TicketState.NO_EFFECT,
  TicketState.INCONCLUSIVE,
  TicketState.WORSE,
  TicketState.CANCELLED,
];
const CATEGORIES = ["enrichment", "message_generation", "scraping"];

/** 60 tickets, the latest first. */
export const TICKETS: MessageInitShape<typeof TicketSchema>[] = Array.from(
  { length: 60 },
  (_, index) => 60 - index,
).map((number) => {
  if (number === 17) return WHOLE;
  const state = STATES[number % STATES.length] ?? TicketState.PROPOSED;
  const isDone = state >= TicketState.IMPLEMENTED && state < TicketState.CANCELLED;
  return {
    ticketId: `T-${number}`,
    state,
    title: `${number % 2 ? "Try another template" : "Mend the timeouts"} of step ${number}`,
    category: CATEGORIES[number % 3] ?? "",
    owner: number % 4 === 0 ? "bert" : "",
    metric: METRIC.name,
    ...(isDone ? { implementation: { implementTime: at(number / 10) } } : {}),
    // The etag of the ticket that changed last is the last event of all
    etag: number === 60 ? String(LATEST) : String(number),
    createTime: at(-number),
    creator: "bert",
    updateTime: at(number / 6),
  };
});

const EVENTS: MessageInitShape<typeof TicketEventSchema>[] = [
  {
    eventId: "3",
    eventTime: at(-5),
    actor: "anna",
    changes: [{ field: "state", before: "", after: "proposed" }],
  },
  { eventId: "7", eventTime: at(-4), actor: "bert", comment: "Only the registry's number is missing.\nSee the log." },
  {
    eventId: "21",
    eventTime: at(0),
    actor: "anna",
    changes: [
      { field: "state", before: "in_progress", after: "implemented" },
      { field: "implementation", before: "", after: `{"version":"v13","description":"${"long ".repeat(40)}"}` },
    ],
  },
  {
    eventId: "40",
    eventTime: at(7),
    actor: "kaizen",
    comment: "Too early to tell.",
    measured: { day: 7, verdict: ImpactVerdict.CANNOT_TELL },
  },
  {
    eventId: "57",
    eventTime: at(14),
    actor: "kaizen",
    comment: "Success rate rose by 8.7 percentage points.",
    changes: [{ field: "state", before: "measuring", after: "verified" }],
  },
];

/** A repeatable wobble from -1 to 1. */
const wobble = (day: number): number => Math.sin(day * 12.9898) * Math.cos(day * 4.1414);

/** 28 days before and as many after as are asked for; the window that raised the recommendation is left out. */
function impactDays(after: number): MessageInitShape<typeof ImpactDaySchema>[] {
  return Array.from({ length: 28 + after }, (_, index) => index - 28).map((day) => {
    const window = days(day, day + 1);
    if (day === -20) return { window, n: 0n, leftOut: "it has no decisions" };
    const raised = day >= -13 && day < -6;
    const level = raised ? 0.66 : day < 0 ? 0.82 : 0.91;
    const leftOut = raised ? "its days raised the recommendation" : day === 3 ? "an incident was going on" : "";
    return { window, value: level + 0.02 * wobble(day), n: BigInt(480 + Math.round(40 * wobble(day + 0.5))), leftOut };
  });
}

const RETURN: MessageInitShape<typeof ReturnSchema> = {
  currency: "EUR",
  days: 84,
  net: estimate(12_400, 4_300),
  probabilityAboveZero: 0.99998,
  gain: true,
  detectable: 6_150,
  benefit: estimate(13_006, 4_300),
  cost: 606,
  hours: 6,
  hoursForecast: false,
  hourlyRate: 80,
  runningCost: 126,
  volume: 42_000,
  unitValue: 3.57,
  roi: 20.46,
  paybackDays: 3.1,
};

/** What T-17 changed, over so many days. */
function impactOver(period: number, isWorthless: boolean) {
  return {
    ticketId: "T-17",
    metric: METRIC,
    slice: SLICE,
    changeTime: at(0),
    measurementPeriodDays: period,
    before: days(-28, 0),
    baseline: [days(-28, -13), days(-6, 0)],
    after: days(0, period),
    verdict: ImpactVerdict.IMPROVED,
    summary: "Success rate rose by 8.7 percentage points (95 % interval 6.1 to 11.3).",
    method: "control_regression",
    rungs: [
      { method: "randomised", refused: "chance did not say which decisions the change applies to" },
      { method: "controls", refused: "" },
    ],
    meanBefore: 0.821,
    meanAfter: 0.908,
    effect: estimate(0.087, 0.026),
    intervalAtAnyLook: { lower: 0.049, upper: 0.125 },
    probabilityBetter: 0.99998,
    detectable: 0.024,
    confidence: { value: 0.8208, method: 0.9, information: 1, present: 0.96, placebo: 0.95 },
    controls: [
      { name: "method_used = website_first", weight: 0.71, movedAlone: 0.02 },
      { name: "method_used = model_only", refused: "it is a sum of other controls", movedAlone: 0.4 },
    ],
    shock: 0.03,
    placebo: { tried: 60, asLarge: 3 },
    novelty: { first: 0.091, last: 0.082, pValue: 0.41, fading: false },
    guardrails: [
      {
        metric: {
          name: "lead_enrichment.p95_processing_time",
          title: "95th percentile processing time",
          unit: "seconds",
        },
        verdict: ImpactVerdict.WORSE,
        effect: estimate(0.21, 0.09),
      },
      {
        metric: { name: "lead_enrichment.average_processing_time", title: "Average processing time", unit: "seconds" },
        verdict: ImpactVerdict.NO_DETECTABLE_CHANGE,
        effect: estimate(-0.01, 0.06),
      },
      {
        metric: { name: "lead_enrichment.method_effectiveness", title: "Method effectiveness", unit: "ratio" },
        unmeasurable: "there are 3 values before the change; 14 are needed",
      },
    ],
    overlaps: [
      {
        ticketId: "T-12",
        change: { kind: "deploy", component: "lead_enrichment", version: "v12", changeTime: at(-5) },
      },
      {
        change: {
          kind: "config",
          component: "lead_enrichment",
          version: "v14",
          changeTime: at(6),
          link: "https://deploy.example/9",
        },
        after: true,
      },
    ],
    days: impactDays(period),
    metrics: {
      recommendationId: "re-1",
      improvementPercentage: { [METRIC.name]: 10.6 },
      measurementConfidence: 0.8208,
      measurementPeriodDays: period,
    },
    ...(isWorthless ? { roiNotComputed: "the catalogue does not say what the metric is worth" } : { roi: RETURN }),
  };
}

/** A measurement of which little is known. */
const EARLY: MessageInitShape<typeof ImpactSchema> = {
  ticketId: "T-58",
  metric: { name: "crm_sync.total", title: "Syncs", unit: "count" },
  changeTime: at(5.8),
  measurementPeriodDays: 14,
  verdict: ImpactVerdict.CANNOT_TELL,
  summary: "It is too early to tell.",
  method: "seasonal_level",
  rungs: [
    { method: "randomised", refused: "no experiment is named" },
    { method: "controls", refused: "no control can be used" },
    { method: "seasonal", refused: "" },
  ],
  meanBefore: 400,
  meanAfter: 380,
  effect: estimate(-20, 70),
  intervalAtAnyLook: { lower: -140, upper: 100 },
  probabilityBetter: 0.3,
  detectable: 180,
  roiNotComputed: "the catalogue does not say what the metric is worth",
};

const measurements = (isWorthless: boolean): MessageInitShape<typeof MeasurementSchema>[] => [
  { measurementId: "41", day: 7, measureTime: at(7), unmeasurable: "the warehouse was away" },
  { measurementId: "57", day: 14, measureTime: at(14), impact: impactOver(14, isWorthless) },
  {
    measurementId: "81",
    day: 28,
    measureTime: at(28),
    impact: {
      ...impactOver(28, isWorthless),
      verdict: ImpactVerdict.NO_DETECTABLE_CHANGE,
      effect: estimate(0.012, 0.03),
    },
  },
];

function cumulative(category: string): MessageInitShape<typeof GetCumulativeRoiResponseSchema> {
  const total = (name: string, tickets: number, net: number, shrunk: number, cost: number) => ({
    name,
    tickets,
    net: estimate(net, 6_000),
    shrunk: estimate(shrunk, 4_500),
    cost,
  });
  const contributions = [
    { number: 17, verdict: ImpactVerdict.IMPROVED, kind: "gain", net: 12_400 },
    { number: 59, verdict: ImpactVerdict.NO_DETECTABLE_CHANGE, kind: "failed_work", net: -820 },
    { number: 52, verdict: ImpactVerdict.WORSE, kind: "failed_work", net: -2_300 },
    { number: 51, verdict: ImpactVerdict.CANNOT_TELL, kind: "", net: undefined },
  ].map(({ number, verdict, kind, net }) => {
    const ticket = TICKETS.find(({ ticketId }) => ticketId === `T-${number}`);
    const told =
      net === undefined ? { notComputed: "nobody said what the metric is worth" } : { net: estimate(net, 900) };
    const { title = "", category: of = "" } = ticket ?? {};
    return { ticketId: `T-${number}`, title, category: of, verdict, kind, measureTime: at(14), ...told };
  });
  const wanted = contributions.filter((it) => category === "" || it.category === category);
  if (wanted.length === 0) return { currency: "EUR" };
  return {
    currency: "EUR",
    total: total("", 3, 9_280, 7_150, 3_900),
    kinds: [
      total("gain", 1, 12_400, 9_800, 606),
      total("avoided_loss", 0, 0, 0, 0),
      total("failed_work", 2, -3_120, -2_650, 3_294),
    ],
    categories: [total("enrichment", 2, 11_580, 9_100, 1_426), total("message_generation", 1, -2_300, -1_950, 2_474)],
    points: [
      { time: at(-30), tickets: 1, net: -820, shrunk: -700 },
      { time: at(-12), tickets: 2, net: -3_120, shrunk: -2_650 },
      { time: at(14), tickets: 3, net: 9_280, shrunk: 7_150 },
    ],
    contributions: wanted,
  };
}

const CALIBRATION: MessageInitShape<typeof GetCalibrationResponseSchema> = {
  calibrations: [
    { name: "all", forecasts: 2, coverage: 0.5, brier: 0.0009, realised: 0.61, bias: -1.25 },
    { name: "rule: slice_regression", forecasts: 2, coverage: 0.5, brier: 0.0009, realised: 0.61, bias: -1.25 },
    { name: "category: enrichment", forecasts: 1, coverage: 1, bias: -0.1 },
  ],
  forecasts: [
    {
      ticketId: "T-17",
      rule: "slice_regression",
      category: "enrichment",
      forecast: estimate(310, 190),
      measured: estimate(290, 80),
      covered: true,
      probability: 0.97,
      verdict: ImpactVerdict.IMPROVED,
    },
    {
      ticketId: "T-52",
      rule: "slice_regression",
      category: "message_generation",
      forecast: estimate(310, 190),
      measured: estimate(-90, 80),
      covered: false,
      probability: 0.97,
      verdict: ImpactVerdict.WORSE,
      correctionId: "C-2",
      uncorrected: estimate(620, 380),
    },
  ],
  corrections: [
    {
      correctionId: "C-3",
      rule: "slice_regression",
      state: CorrectionState.ACTIVE,
      factor: 0.53,
      widening: 0.18,
      ratio: estimate(0.51, 0.06),
      pValue: 1e-9,
      share: 0.04,
      outcomes: [17, 52, 12, 13, 14, 15].map((number) => ({ ticketId: `T-${number}` })),
      learnTime: at(14),
      learner: "kaizen",
    },
  ],
};

/** One page of the tickets that are asked for; the token is where the next one begins. */
function listed(
  { pageSize, pageToken, states, category, owner, text }: ListTicketsRequest,
  owners: ReadonlyMap<string, string>,
) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  const wanted = TICKETS.filter(
    (it) =>
      (states.length === 0 || states.includes(it.state ?? TicketState.UNSPECIFIED)) &&
      (category === "" || it.category === category) &&
      (owner === "" || it.owner === owner) &&
      words.every((word) => `${it.title} ${it.description}`.toLowerCase().split(/\W+/).includes(word)),
  );
  const begin = pageToken === "" ? 0 : Number(pageToken);
  if (Number.isNaN(begin)) throw new ConnectError("page_token must be that of an earlier answer", Code.InvalidArgument);
  const end = begin + (pageSize || 50);
  const tickets = wanted
    .slice(begin, end)
    .map((it) => ({ ...it, owner: owners.get(it.ticketId ?? "") ?? it.owner ?? "" }));
  return { tickets, nextPageToken: end < wanted.length ? String(end) : "" };
}

/** Serves the methods the dashboard calls. */
export const trackerRoutes = (behaviour: TrackerBehaviour) => (router: ConnectRouter) => {
  const asked = (call: string, request: unknown) => {
    behaviour.asked.push({ call, request });
    if (behaviour.broken.has(call)) throw new ConnectError("the ledger is away", Code.Unavailable);
  };
  const find = (id: string) => {
    const found = behaviour.empty ? undefined : TICKETS.find(({ ticketId }) => ticketId === id);
    if (!found) throw new ConnectError(`there is no ticket ${id}`, Code.NotFound);
    return found;
  };
  router.service(TrackerService, {
    listTickets: (request) => {
      asked("ListTickets", request);
      return behaviour.empty ? {} : listed(request, behaviour.owners);
    },
    getTicket: (request) => {
      asked("GetTicket", request);
      const ticket = find(request.ticketId);
      return { ticket: { ...ticket, owner: behaviour.owners.get(request.ticketId) ?? ticket.owner ?? "" } };
    },
    async *watchTickets(request, { signal }) {
      asked("WatchTickets", request);
      let seen = Number(request.afterEventId);
      while (!signal.aborted) {
        for (const event of behaviour.happened.filter(({ eventId }) => Number(eventId) > seen)) {
          seen = Number(event.eventId);
          if (request.ticketId === "" || request.ticketId === event.ticketId) yield { event };
        }
        await new Promise<void>((resolve) => {
          behaviour.watchers.add(resolve);
          signal.addEventListener("abort", () => resolve());
          if (behaviour.happened.some(({ eventId }) => Number(eventId) > seen)) resolve();
        });
        if (behaviour.broken.has("WatchTickets")) throw new ConnectError("the ledger is away", Code.Unavailable);
      }
    },
    listTicketEvents: (request) => {
      asked("ListTicketEvents", request);
      if (request.ticketId !== "T-17") return {};
      // Two pages, so that whoever stops at the first is caught.
      return request.pageToken ? { events: EVENTS.slice(2) } : { events: EVENTS.slice(0, 2), nextPageToken: "2" };
    },
    measureImpact: (request) => {
      asked("MeasureImpact", request);
      const { ticketId, measurementPeriodDays: period } = request;
      if (ticketId === "T-17") return { impact: impactOver(period, behaviour.worthless) };
      if (ticketId === "T-58") return { impact: EARLY };
      throw new ConnectError("there are 0 values after the change; 2 are needed", Code.FailedPrecondition);
    },
    listMeasurements: (request) => {
      asked("ListMeasurements", request);
      return { measurements: request.ticketId === "T-17" ? measurements(behaviour.worthless) : [] };
    },
    getCumulativeRoi: (request) => {
      asked("GetCumulativeRoi", request);
      return behaviour.unmeasured ? {} : cumulative(request.category);
    },
    getCalibration: (request) => {
      asked("GetCalibration", request);
      return behaviour.unmeasured ? {} : CALIBRATION;
    },
  });
};
