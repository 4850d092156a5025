import {
  formatCount,
  formatHours,
  formatMoney,
  formatMoneyInterval,
  formatPrice,
  formatProbability,
  formatRelative,
} from "../format";
import type { Return } from "../gen/kaizen/tracker/v1/impact_pb";
import { Fact, Facts } from "./facts";

/** What a change returned, or why that is not computed. */
export function ReturnSection({ roi, reason }: { roi: Return | undefined; reason: string }) {
  return (
    <section aria-label="Return" data-roi={roi ? "computed" : "absent"}>
      <h3>What it returned</h3>
      {roi ? <Computed roi={roi} /> : <p>Not computed: {reason || "the answer does not say why"}.</p>}
    </section>
  );
}

function Computed({ roi }: { roi: Return }) {
  const { currency, net, benefit } = roi;
  return (
    <>
      <p class="value">{net ? formatMoney(net.value, currency) : "no return"}</p>
      <p class="muted">
        in {formatCount(roi.days)} days{net?.interval && `, 95\u202f% ${formatMoneyInterval(net.interval, currency)}`}
      </p>
      <Facts>
        <Fact name="above zero with a probability of">{formatProbability(roi.probabilityAboveZero)}</Fact>
        <Fact name="which is">
          {roi.gain === undefined ? "neither a gain nor a loss for sure" : roi.gain ? "a gain" : "a loss"}
        </Fact>
        <Fact name="paid back">
          {roi.paybackDays === undefined ? "never, as it is now" : `after ${roi.paybackDays.toFixed(1)} days`}
        </Fact>
        <Fact name="net over cost">{roi.roi === undefined ? "" : formatRelative(roi.roi)}</Fact>
        <Fact name="benefit">
          {benefit &&
            `${formatMoney(benefit.value, currency)}: effect × ${formatCount(roi.volume)} × ${formatPrice(roi.unitValue, currency)}`}
        </Fact>
        <Fact name="cost">
          {formatPrice(roi.cost, currency)}: {formatHours(roi.hours)}
          {roi.hoursForecast && " (as forecast)"} × {formatPrice(roi.hourlyRate, currency)}, running it{" "}
          {formatMoney(roi.runningCost, currency)}
        </Fact>
        <Fact name="decided with 80 % from">{formatPrice(roi.detectable, currency)}</Fact>
      </Facts>
    </>
  );
}
