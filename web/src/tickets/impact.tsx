import {
  formatChange,
  formatChangeInterval,
  formatProbability,
  formatRelative,
  formatTime,
  formatValue,
  partsOf,
} from "../format";
import type { Impact } from "../gen/kaizen/tracker/v1/impact_pb";
import { titleOfSlice } from "../overview/causes";
import { Around } from "./around";
import { Verdict } from "./badges";
import { Certainty } from "./certainty";
import { Fact, Facts } from "./facts";
import { ImpactChart } from "./impact-chart";
import { ImpactTable } from "./impact-table";
import { ReturnSection } from "./return";

/** A measurement in full: the verdict first, then the numbers, the days, how it is known, and what it returned. */
export function ImpactWhole({ impact }: { impact: Impact }) {
  const { metric, slice, verdict, effect, summary, days, changeTime, measurementPeriodDays } = impact;
  const unit = metric?.unit ?? "";
  return (
    <div class="impact">
      <p class="verdict" data-verdict={verdict}>
        <Verdict verdict={verdict} effect={effect?.value} /> {summary}
      </p>
      <p class="muted">
        {metric?.title} ({metric?.name}), {titleOfSlice(slice) || "all decisions"}; changed {formatTime(changeTime)}, to
        be measured over {measurementPeriodDays} days
      </p>
      <Numbers impact={impact} unit={unit} />
      {days.length > 0 && (
        <>
          <ImpactChart impact={impact} unit={unit} />
          <details class="points">
            <summary>
              Table<span class="unseen"> of the days</span>
            </summary>
            <ImpactTable impact={impact} unit={unit} />
          </details>
        </>
      )}
      <div class="blocks">
        <Certainty impact={impact} unit={unit} />
        <ReturnSection roi={impact.roi} reason={impact.roiNotComputed} />
        <Around guardrails={impact.guardrails} overlaps={impact.overlaps} />
      </div>
    </div>
  );
}

const isRandomised = ({ method }: Impact): boolean => method.startsWith("randomised");

/** The days that the mean before the change is of; nothing where the measurement does not say. */
export const baselineOf = ({ baseline }: Impact): string =>
  baseline.map(({ startTime, endTime }) => `${formatTime(startTime)} to ${formatTime(endTime)}`).join(" and ");

function Numbers({ impact, unit }: { impact: Impact; unit: string }) {
  const { effect, intervalAtAnyLook, meanBefore, meanAfter, probabilityBetter, detectable, metrics, metric } = impact;
  const percent = metrics?.improvementPercentage[metric?.name ?? ""];
  return (
    <div class="sums">
      <div data-number="effect">
        <p class="value">{effect ? formatChange(effect.value, unit) : "no effect"}</p>
        <p class="muted">effect{effect?.interval && `, 95\u202f% ${formatChangeInterval(effect.interval, unit)}`}</p>
      </div>
      <div data-number="means">
        <p class="value">
          {partsOf(meanBefore, unit).number} → {formatValue(meanAfter, unit)}
        </p>
        <p class="muted">mean {isRandomised(impact) ? "without and with it" : "before and after"}</p>
      </div>
      <Facts>
        <Fact name={isRandomised(impact) ? "mean without it of" : "mean before of"}>{baselineOf(impact)}</Fact>
        <Fact name="at all looks together">{intervalAtAnyLook && formatChangeInterval(intervalAtAnyLook, unit)}</Fact>
        <Fact name="improvement">{percent === undefined ? "" : `${formatRelative(percent / 100)} of what it was`}</Fact>
        <Fact name="better with a probability of">{formatProbability(probabilityBetter)}</Fact>
        <Fact name="smallest effect seen with 80 %">{formatChange(detectable, unit).replace("+", "")}</Fact>
      </Facts>
    </div>
  );
}
