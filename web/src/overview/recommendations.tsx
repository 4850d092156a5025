import { addressOfDecision } from "../decisions/asked";
import { formatPart, formatRelative, formatShare, formatTime, formatValue } from "../format";
import {
  type DecisionExample,
  Priority,
  type Recommendation,
  RecommendationState,
} from "../gen/kaizen/analysis/v1/analysis_pb";
import { Link } from "../link";

const PRIORITIES: Record<Priority, string> = {
  [Priority.UNSPECIFIED]: "",
  [Priority.HIGH]: "high",
  [Priority.MEDIUM]: "medium",
  [Priority.LOW]: "low",
};

/** Where one stands; nothing while nobody has decided about it. */
const STATES: Record<RecommendationState, string> = {
  [RecommendationState.UNSPECIFIED]: "",
  [RecommendationState.OPEN]: "",
  [RecommendationState.ACCEPTED]: "accepted",
  [RecommendationState.DISMISSED]: "dismissed",
  [RecommendationState.REOPENED]: "reopened",
  [RecommendationState.CLOSED]: "closed",
  [RecommendationState.GONE]: "gone",
};

/** What to do, most urgent first; each opens to why and how. */
export function Recommendations({ recommendations }: { recommendations: readonly Recommendation[] }) {
  return (
    <>
      <h3>What to do</h3>
      {recommendations.length === 0 ? (
        <p class="muted">Nothing to recommend.</p>
      ) : (
        <ol class="recommendations">
          {recommendations.map((recommendation) => (
            <Entry key={recommendation.recommendationId} recommendation={recommendation} />
          ))}
        </ol>
      )}
    </>
  );
}

function Entry({ recommendation }: { recommendation: Recommendation }) {
  const { recommendationId, title, description, actionItems, certainty, effortHours, wouldChange } = recommendation;
  const priority = PRIORITIES[recommendation.priority];
  return (
    <li class={`recommendation ${priority}`} data-recommendation={recommendationId}>
      <details>
        <summary>
          <span class="word">{priority}</span> {title}
          {STATES[recommendation.state] && (
            <span class="muted" data-state={STATES[recommendation.state]}>
              {" "}
              · {STATES[recommendation.state]}
            </span>
          )}
        </summary>
        <p>{description}</p>
        <ol>
          {actionItems.map((item) => (
            <li key={item}>{item}</li>
          ))}
        </ol>
        <p class="muted">
          {effortHours} h of work · {formatShare(certainty)} certain{worth(recommendation)} · would be {wouldChange}
        </p>
        <Evidence evidence={recommendation.evidence} />
        <History changes={recommendation.history} />
      </details>
    </li>
  );
}

/** Decisions that show it, the worst first, and all of them. */
function Evidence({ evidence }: { evidence: Recommendation["evidence"] }) {
  if (!evidence) return null;
  const { examples, previousExamples, dashboardPath, previousDashboardPath } = evidence;
  return (
    <>
      <Examples title="Decisions of the period" to={dashboardPath} examples={examples} evidence={evidence} />
      <Examples title="Before" to={previousDashboardPath} examples={previousExamples} evidence={evidence} />
    </>
  );
}

interface ExamplesProps {
  title: string;
  /** Where all of them are; empty when that is not known. */
  to: string;
  examples: readonly DecisionExample[];
  evidence: NonNullable<Recommendation["evidence"]>;
}

function Examples({ title, to, examples, evidence }: ExamplesProps) {
  if (!to) return null;
  const search = new URL(to, location.href).search;
  return (
    <p class="examples">
      <Link to={to}>{title}</Link>
      {examples.length > 0 && ": "}
      {examples.map((example, index) => (
        <span key={example.eventId}>
          {index > 0 && ", "}
          <Link to={addressOfDecision(example.eventId, search)}>{shown(example, evidence)}</Link>
        </span>
      ))}
    </p>
  );
}

/** An example by its value, or by its time where it has none that tells it from others. */
function shown(
  { value, decisionTime }: DecisionExample,
  { exampleUnit, exampleWhat }: ExamplesProps["evidence"],
): string {
  const time = formatTime(decisionTime);
  if (value === undefined || exampleUnit === "") return time;
  if (exampleUnit === "ratio" && (value === 0 || value === 1))
    return `${time} (${exampleWhat}: ${value ? "yes" : "no"})`;
  return `${time} (${formatValue(value, exampleUnit)})`;
}

/** How it came to stand where it stands; nothing for what was only found. */
function History({ changes }: { changes: Recommendation["history"] }) {
  if (changes.length < 2) return null;
  return (
    <ul class="history muted" aria-label="History">
      {changes.map(({ state, changeTime, reason, actor }) => (
        <li key={`${formatTime(changeTime)} ${state}`}>
          <time>{formatTime(changeTime)}</time> {STATES[state] || "open"}
          {actor && ` by ${actor}`}
          {reason && `: ${reason}`}
        </li>
      ))}
    </ul>
  );
}

function worth({ estimatedImpact, roi, corrected }: Recommendation): string {
  const percent = estimatedImpact?.improvementPercent;
  const by = corrected
    ? ` (× ${formatPart(corrected.factor)} by ${corrected.correctionId}, as earlier forecasts came true)`
    : "";
  const improvement = percent === undefined ? "" : ` · ${formatRelative(percent / 100)} of the metric${by}`;
  if (!estimatedImpact) return "";
  if (!roi?.roi) return `${improvement} · return not computed: what the metric is worth is not known`;
  const share = formatShare(roi.probabilityAboveZero);
  return `${improvement} · return ${formatRelative(roi.roi.value)} in ${roi.horizonWeeks} weeks, above zero with ${share}`;
}
