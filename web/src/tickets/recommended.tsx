import {
  formatChange,
  formatChangeInterval,
  formatHours,
  formatMoney,
  formatPart,
  formatProbability,
  formatRelative,
  formatSigned,
} from "../format";
import type { Estimate, Recommendation } from "../gen/kaizen/analysis/v1/analysis_pb";
import type { FrozenRecommendation } from "../gen/kaizen/tracker/v1/tracker_pb";
import { titleOfSlice } from "../overview/causes";
import { titleOfWindow } from "../range";
import { Fact, Facts } from "./facts";

/** The recommendation with its forecast, as it was when the ticket was created. */
export function Recommended({ frozen: { recommendation, period } }: { frozen: FrozenRecommendation }) {
  if (!recommendation) return null;
  return (
    <section class="panel" aria-labelledby="recommended">
      <h2 id="recommended">What was forecast</h2>
      <p class="muted small">As it was when the ticket was created; later analyses change nothing in it.</p>
      <Forecast recommendation={recommendation} period={titleOfWindow(period)} />
      {recommendation.actionItems.length > 0 && (
        <ol class="steps">
          {recommendation.actionItems.map((item) => (
            <li key={item}>{item}</li>
          ))}
        </ol>
      )}
    </section>
  );
}

function Forecast({ recommendation, period }: { recommendation: Recommendation; period: string }) {
  const { rule, slice, estimatedImpact, roi, certainty, effortHours, evidence, corrected } = recommendation;
  const percent = estimatedImpact?.improvementPercent;
  const unit = evidence?.unit ?? "";
  return (
    <Facts>
      <Fact name="rule">{rule}</Fact>
      <Fact name="raised by">{period}</Fact>
      <Fact name="slice">{titleOfSlice(slice)}</Fact>
      <Fact name="evidence">{evidence?.effect && changed(evidence.effect, unit, evidence.what)}</Fact>
      <Fact name="improvement">{percent === undefined ? "" : `${formatRelative(percent / 100)} of the metric`}</Fact>
      <Fact name="gained a week">{estimatedImpact?.perWeek && gained(estimatedImpact.perWeek)}</Fact>
      <Fact name="corrected">
        {corrected &&
          `by ${corrected.correctionId}: × ${formatPart(corrected.factor)}, as earlier forecasts of the rule came true; itself it says ${
            corrected.estimatedImpact?.perWeek ? gained(corrected.estimatedImpact.perWeek) : "nothing"
          }`}
      </Fact>
      <Fact name="return">
        {roi?.roi
          ? `${formatRelative(roi.roi.value)} in ${roi.horizonWeeks} weeks${benefit(roi.benefit, roi.currency)}, above zero with ${formatProbability(roi.probabilityAboveZero)}`
          : "not computed"}
      </Fact>
      <Fact name="certainty">{formatProbability(certainty)}</Fact>
      <Fact name="work">{formatHours(effortHours)}</Fact>
    </Facts>
  );
}

const changed = ({ value, interval }: Estimate, unit: string, what: string): string =>
  `${what}: ${formatChange(value, unit)}${interval ? ` (95\u202f% ${formatChangeInterval(interval, unit)})` : ""}`;

const gained = ({ value, interval }: Estimate): string =>
  `${formatSigned(value)}${interval ? ` (95\u202f% ${formatSigned(interval.lower)} to ${formatSigned(interval.upper)})` : ""}`;

const benefit = (of: Estimate | undefined, currency: string): string =>
  of ? `, benefit ${formatMoney(of.value, currency)}` : "";
