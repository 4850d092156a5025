//! A stand-in for `reporting` that answers as the contract says, from made-up but repeatable numbers.

import { create, type MessageInitShape } from "@bufbuild/protobuf";
import { timestampFromMs, timestampMs } from "@bufbuild/protobuf/wkt";
import { Code, ConnectError, type ConnectRouter } from "@connectrpc/connect";
import {
  AnalysisService,
  AnalysisState,
  Difficulty,
  Priority,
  RecommendationState,
  TrendDirection,
} from "../src/gen/kaizen/analysis/v1/analysis_pb";
import {
  Direction,
  type Metric,
  MetricSchema,
  MetricService,
  type PointSchema,
  type QueryMetricRequest,
  type SeriesSchema,
  Step,
  type ValueSchema,
} from "../src/gen/kaizen/analysis/v1/metrics_pb";
import { ordinaryTracker, type TrackerBehaviour, trackerRoutes } from "./tickets";

export { give } from "./tickets";

export const DAY = 86_400_000;
/** The span of the mock's data: 12 weeks and 6 hours, the last day unfinished. */
export const DATA = { from: Date.UTC(2026, 0, 5), to: Date.UTC(2026, 2, 30, 6) };

/** What the mock does out of the ordinary; may be changed while it serves. */
export interface Behaviour {
  /** `QueryMetric` of these metrics answers UNAVAILABLE. */
  broken: Set<string>;
  /** There are no decisions. */
  empty: boolean;
  /** No analysis has run. */
  unanalysed: boolean;
  /** What the tracker does out of the ordinary. */
  tracker: TrackerBehaviour;
}

export const ordinary = (): Behaviour => ({
  broken: new Set(),
  empty: false,
  unanalysed: false,
  tracker: ordinaryTracker(),
});

const LESS = Direction.LOWER_IS_BETTER;
const metric = (
  name: string,
  componentTitle: string,
  title: string,
  unit: string,
  rest: MessageInitShape<typeof MetricSchema> = {},
): Metric =>
  create(MetricSchema, {
    name,
    component: name.split(".")[0] ?? "",
    componentTitle,
    title,
    description: `${title}, as the catalogue describes it.`,
    unit,
    direction: Direction.HIGHER_IS_BETTER,
    minimumSample: 30n,
    ...rest,
  });

/** Metrics of every unit and kind, named as the catalogue names them. */
export const METRICS: Metric[] = [
  metric("ai_message_generation.total_messages", "Message generation", "Messages", "count"),
  metric("ai_message_generation.approval_rate", "Message generation", "Approval rate", "ratio"),
  metric("ai_message_generation.average_quality_score", "Message generation", "Average quality", "score"),
  metric("ai_message_generation.template_effectiveness", "Message generation", "Template effectiveness", "ratio", {
    splitBy: "template",
  }),
  metric("lead_enrichment.total_enrichments", "Lead enrichment", "Enrichments", "count"),
  metric("lead_enrichment.success_rate", "Lead enrichment", "Success rate", "ratio"),
  metric("lead_enrichment.average_processing_time", "Lead enrichment", "Average processing time", "seconds", {
    direction: LESS,
  }),
  metric("lead_enrichment.p95_processing_time", "Lead enrichment", "95th percentile processing time", "seconds", {
    direction: LESS,
  }),
  metric("lead_enrichment.method_effectiveness", "Lead enrichment", "Method effectiveness", "ratio", {
    splitBy: "method_used",
  }),
  metric("website_scraping.success_rate", "Website scraping", "Scraping success rate", "ratio"),
  metric("website_scraping.p95_latency", "Website scraping", "Scraping latency, 95th percentile", "seconds", {
    direction: LESS,
  }),
  metric("website_scraping.content_yield", "Website scraping", "Content yield", "characters"),
  metric("crm_sync.success_rate", "CRM sync", "CRM sync success rate", "ratio"),
  metric("crm_sync.p95_latency", "CRM sync", "CRM sync latency, 95th percentile", "seconds", { direction: LESS }),
  metric("crm_sync.error_kinds", "CRM sync", "CRM error kinds", "ratio", { direction: LESS, splitBy: "error_kind" }),
];

/** A repeatable number from 0 to 1 for a text. */
function noise(text: string): number {
  let hash = 2_166_136_261;
  for (const character of text) hash = Math.imul(hash ^ character.charCodeAt(0), 16_777_619);
  hash = Math.imul(hash ^ (hash >>> 15), 2_246_822_507);
  return ((hash ^ (hash >>> 13)) >>> 0) / 4_294_967_296;
}

const LEVELS: Record<string, number> = { ratio: 0.8, seconds: 1.7, score: 74, characters: 8_400 };

/** The value over a span: absent outside the data and on one silent day, thin on another. */
export function valueOver(of: Metric, group: string, from: number, to: number): MessageInitShape<typeof ValueSchema> {
  const present = Math.max(0, Math.min(to, DATA.to) - Math.max(from, DATA.from)) / DAY;
  const isSilent = to - from <= DAY && from === Date.UTC(2026, 2, 11);
  const isThin = to - from <= DAY && from === Date.UTC(2026, 2, 18);
  const random = noise(`${of.name} ${group} ${from}`);
  const perDay = (isThin ? 8 : 380 + 120 * random) / (group ? 4 : 1);
  const n = isSilent ? 0 : Math.round(perDay * present);
  const thin = n < Number(of.minimumSample);
  if (n === 0) return { n: 0n, thin, ...(present > 0 ? { coverage: 0 } : {}) };
  const spread = (to - from <= 7 * DAY ? 0.05 : 0.008) + (group ? 0.1 : 0);
  const level = (of.name.endsWith("error_kinds") ? 0.06 : (LEVELS[of.unit] ?? 1)) * (1 + spread * (random - 0.5) * 2);
  const value = of.unit === "count" ? n : level;
  const half = (1.2 * level) / Math.sqrt(n);
  const interval = { lower: level - half, upper: Math.min(of.unit === "ratio" ? 1 : Infinity, level + half) };
  const isEstimate = of.unit !== "count" && !of.name.includes("p95");
  return {
    value,
    n: BigInt(n),
    thin,
    coverage: (0.94 + 0.06 * random) * Math.min(1, (present * DAY) / (Math.min(to, DATA.to) - from)),
    ...(isEstimate ? { interval } : {}),
  };
}

const LENGTHS: Partial<Record<Step, number>> = {
  [Step.HOUR]: DAY / 24,
  [Step.DAY]: DAY,
  [Step.WEEK]: 7 * DAY,
  [Step.MONTH]: 30 * DAY,
};

function pointsOver(of: Metric, group: string, from: number, to: number, step: Step) {
  const length = LENGTHS[step];
  const points: MessageInitShape<typeof PointSchema>[] = [];
  for (let start = from; length && start < to; start += length) {
    const end = Math.min(to, start + length);
    points.push({
      startTime: timestampFromMs(start),
      endTime: timestampFromMs(end),
      value: valueOver(of, group, start, end),
      incomplete: end - start < length || (start < DATA.to && DATA.to < end),
    });
  }
  return points;
}

function seriesOver(request: QueryMetricRequest, of: Metric, group: string): MessageInitShape<typeof SeriesSchema> {
  const [from, to] = [request.window?.startTime, request.window?.endTime].map((time) => (time ? timestampMs(time) : 0));
  if (from === undefined || to === undefined) throw new ConnectError("window: required", Code.InvalidArgument);
  const total = valueOver(of, group, from, to);
  const series = { group, total, points: pointsOver(of, group, from, to, request.step) };
  if (!request.compareTo) return series;
  const previousTotal = valueOver(of, group, 2 * from - to, from);
  const previousPoints = pointsOver(of, group, 2 * from - to, from, request.step);
  const [now, before] = [total.value, previousTotal.value];
  if (now === undefined || before === undefined) return { ...series, previousTotal, previousPoints };
  return { ...series, previousTotal, previousPoints, change: now - before, relativeChange: (now - before) / before };
}

const GROUPS: Record<string, string[]> = {
  template: ["problem_solution", "social_proof", "question", "__other__"],
  method_used: ["website_first", "registry_lookup", "model_only"],
  error_kind: ["rate_limited", "timeout", "conflict"],
};

const window = (from: number, to: number) => ({ startTime: timestampFromMs(from), endTime: timestampFromMs(to) });

const ANALYSIS = {
  analysisId: "an-1",
  period: window(Date.UTC(2026, 2, 23), Date.UTC(2026, 2, 30)),
  previousPeriod: window(Date.UTC(2026, 2, 16), Date.UTC(2026, 2, 23)),
  state: AnalysisState.SUCCEEDED,
  decisions: 9_876n,
  rejections: 12n,
};

function analysed() {
  const trends = METRICS.map(({ name }, index) => ({
    metric: name,
    direction:
      name === "lead_enrichment.success_rate"
        ? TrendDirection.DECLINING
        : name === "website_scraping.p95_latency"
          ? TrendDirection.IMPROVING
          : index === 3
            ? TrendDirection.INSUFFICIENT_DATA
            : TrendDirection.STABLE,
    changePercent: name === "lead_enrichment.success_rate" ? -8.25 : -2.5,
    significance: index === 3 ? "" : "high",
  }));
  const results = METRICS.map((of) => ({
    metric: of,
    value: valueOver(of, "", Date.UTC(2026, 2, 23), Date.UTC(2026, 2, 30)),
    previous: valueOver(of, "", Date.UTC(2026, 2, 16), Date.UTC(2026, 2, 23)),
  }));
  const explanations = [
    {
      metric: "lead_enrichment.success_rate",
      explained: "Success rate",
      effectUnit: "ratio",
      culprits: [
        {
          slice: [{ dimension: "method_used", value: "registry_lookup" }],
          previous: { value: 0.92, n: 640n },
          value: { value: 0.66, n: 655n },
          effect: -0.257,
          interval: { lower: -0.302, upper: -0.212 },
        },
      ],
    },
  ];
  return { analysis: ANALYSIS, results, trends, explanations, findings: FINDINGS };
}

const FINDINGS = [
  {
    component: "lead_enrichment",
    metric: "lead_enrichment.success_rate",
    text: "Success rate fell and stayed there: -9.6 points",
    isWorse: true,
    detail: {
      case: "levelChange" as const,
      value: { time: timestampFromMs(Date.UTC(2026, 1, 23, 2)), stepSeconds: 3600 },
    },
  },
  {
    component: "website_scraping",
    metric: "",
    text: "Website scraping: 40 of 40 expected decisions are missing over 3 hours",
    isWorse: true,
    detail: {
      case: "missingData" as const,
      value: { window: { startTime: timestampFromMs(Date.UTC(2026, 1, 25, 10)) }, expected: 40, reason: "silent" },
    },
  },
];

const RECOMMENDATION = {
  recommendationId: "re-1",
  rule: "slice_regression",
  category: "enrichment",
  component: "lead_enrichment",
  metric: "lead_enrichment.success_rate",
  slice: [{ dimension: "method_used", value: "registry_lookup" }],
  priority: Priority.HIGH,
  title: "Lead enrichment: Success rate got worse for method_used = registry_lookup",
  description: "For method_used = registry_lookup, Success rate went from 92.0 % to 66.0 %.",
  actionItems: ["Read the latest decisions of method_used = registry_lookup that went wrong", "Undo or mend it"],
  difficulty: Difficulty.MEDIUM,
  effortHours: 8,
  certainty: 0.99,
  estimatedImpact: { improvementPercent: 5.9 },
  corrected: { correctionId: "C-3", factor: 0.53, estimatedImpact: { improvementPercent: 11.1 } },
  wouldChange: "MEDIUM, if the improvement of the metric were less than 85 % of the estimate or the work took 9 h",
  state: RecommendationState.REOPENED,
  stateReason: "came back after ticket T-1 ended as cancelled",
  history: [
    { state: RecommendationState.OPEN, changeTime: timestampFromMs(Date.UTC(2026, 2, 2)), reason: "found first" },
    {
      state: RecommendationState.REOPENED,
      changeTime: timestampFromMs(Date.UTC(2026, 2, 30)),
      reason: "came back after ticket T-1 ended as cancelled",
    },
  ],
  evidence: {
    what: "Success rate",
    unit: "ratio",
    component: "lead_enrichment",
    exampleWhat: "Success rate",
    exampleUnit: "ratio",
    examples: [{ eventId: "e.1/a", decisionTime: timestampFromMs(Date.UTC(2026, 2, 29, 9)), value: 0 }],
    dashboardPath:
      "/decisions?component=lead_enrichment&from=2026-03-23T00%3A00%3A00Z&to=2026-03-30T00%3A00%3A00Z&filter=method_used%3Dregistry_lookup",
  },
};

const DECISION = {
  eventId: "e.1/a",
  logType: "enrichment_decision",
  decisionTime: timestampFromMs(Date.UTC(2026, 2, 29, 9)),
  methodUsed: "registry_lookup",
  success: false,
};

/** What quality scores are worth. */
const QUALITY = {
  statedBy: "quality_score",
  of: "success_indicator",
  levels: [
    { stated: "80 to 90", meanStated: 84.2, observed: 0.81, interval: { lower: 0.79, upper: 0.83 }, n: 1_204n },
    { stated: "70 to 80", meanStated: 75.1, observed: 0.642, interval: { lower: 0.61, upper: 0.673 }, n: 871n },
  ],
};

/** Serves the methods the dashboard calls. */
export const routes = (behaviour: Behaviour) => (router: ConnectRouter) => {
  router.service(MetricService, {
    listMetrics: () => ({ metrics: METRICS, ...(behaviour.empty ? {} : { dataWindow: window(DATA.from, DATA.to) }) }),
    queryMetric: (request) => {
      const found = METRICS.find(({ name }) => name === request.metric);
      if (!found) throw new ConnectError(`no metric ${request.metric}`, Code.NotFound);
      if (behaviour.broken.has(found.name)) throw new ConnectError("the engine is away", Code.Unavailable);
      const groups = request.groupBy ? (GROUPS[request.groupBy] ?? []) : [""];
      return { metric: found, series: groups.map((group) => seriesOver(request, found, group)) };
    },
    listDecisions: ({ component, filters, pageToken }) => {
      const isThat = component === "lead_enrichment" && filters[0]?.values[0] === "registry_lookup";
      if (!isThat) return { decisions: [] };
      return pageToken ? { decisions: [] } : { decisions: [DECISION], nextPageToken: "second" };
    },
    getReliability: ({ component }) => ({
      component,
      curves: component === "lead_enrichment" ? [QUALITY] : [],
    }),
    getDecision: ({ eventId }) => {
      if (eventId !== DECISION.eventId) throw new ConnectError(`there is no decision ${eventId}`, Code.NotFound);
      return {
        summary: DECISION,
        inputData: { source: "crawl" },
        outputData: { employees: 40 },
        dimensions: { source: "crawl" },
        source: { topic: "kaizen.decisions", partition: 3, offset: 17n },
      };
    },
  });
  router.service(AnalysisService, {
    listAnalyses: () => ({ analyses: behaviour.unanalysed ? [] : [ANALYSIS] }),
    getAnalysis: () => analysed(),
    listRecommendations: () => ({ analysis: ANALYSIS, recommendations: [RECOMMENDATION] }),
  });
  trackerRoutes(behaviour.tracker)(router);
};
