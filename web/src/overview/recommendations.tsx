import { formatRelative, formatShare } from "../format";
import { Priority, type Recommendation, RecommendationState } from "../gen/kaizen/analysis/v1/analysis_pb";

const PRIORITIES: Record<Priority, string> = {
  [Priority.UNSPECIFIED]: "",
  [Priority.HIGH]: "high",
  [Priority.MEDIUM]: "medium",
  [Priority.LOW]: "low",
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
          {recommendation.state === RecommendationState.ACCEPTED && <span class="muted"> · accepted</span>}
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
      </details>
    </li>
  );
}

function worth({ estimatedImpact, roi }: Recommendation): string {
  const percent = estimatedImpact?.improvementPercent;
  const improvement = percent === undefined ? "" : ` · ${formatRelative(percent / 100)} of the metric`;
  if (!estimatedImpact) return "";
  if (!roi?.roi) return `${improvement} · return not computed: what the metric is worth is not known`;
  const share = formatShare(roi.probabilityAboveZero);
  return `${improvement} · return ${formatRelative(roi.roi.value)} in ${roi.horizonWeeks} weeks, above zero with ${share}`;
}
