import type { Loaded } from "../api/load";
import { Details } from "../details";
import {
  formatCount,
  formatPart,
  formatProbability,
  formatScore,
  formatShare,
  formatSigned,
  formatTime,
} from "../format";
import type { Estimate } from "../gen/kaizen/analysis/v1/analysis_pb";
import type { Calibration, Correction, Forecast, GetCalibrationResponse } from "../gen/kaizen/tracker/v1/impact_pb";
import { Link } from "../link";
import { ErrorNotice } from "../overview/error";
import { addressOfTicket } from "./asked";
import { Verdict } from "./badges";

/** How forecasts came true: in all, by rule and by category, and each of them. */
export function CalibrationPanel({ answer }: { answer: Loaded<GetCalibrationResponse> }) {
  const found = answer.state === "failed" ? undefined : answer.value;
  return (
    <section class="panel" aria-labelledby="calibration" data-calibration={answer.state}>
      <h2 id="calibration">How forecasts came true</h2>
      {answer.state === "failed" && <ErrorNotice failure={answer.failure} retry={answer.retry} />}
      {answer.state === "loading" && !found && (
        <div class="skeleton low" role="status" aria-label="Loading the calibration" />
      )}
      {found && found.forecasts.length === 0 && <p class="blank low">No forecast has a measured outcome yet.</p>}
      {found && found.forecasts.length > 0 && (
        <>
          <Calibrations calibrations={found.calibrations} />
          <Corrections corrections={found.corrections} />
          <Details
            class="points"
            summary={`${formatCount(found.forecasts.length)} ${found.forecasts.length === 1 ? "forecast" : "forecasts"}`}
          >
            {() => <Forecasts forecasts={found.forecasts} />}
          </Details>
        </>
      )}
    </section>
  );
}

function Calibrations({ calibrations }: { calibrations: readonly Calibration[] }) {
  return (
    <>
      <div class="wide">
        <table>
          <caption class="unseen">Calibration of forecasts</caption>
          <thead>
            <tr>
              <th scope="col">Forecasts of</th>
              <th scope="col">Number</th>
              <th scope="col">Covered</th>
              <th scope="col">Brier</th>
              <th scope="col">Realised</th>
              <th scope="col">Bias</th>
            </tr>
          </thead>
          <tbody>
            {calibrations.map(({ name, forecasts, coverage, brier, realised, bias }) => (
              <tr key={name} data-kind={name}>
                <th scope="row">{name}</th>
                <td>{formatCount(forecasts)}</td>
                <td>{formatShare(coverage)}</td>
                <td>{brier === undefined ? "–" : formatScore(brier)}</td>
                <td>{realised === undefined ? "–" : formatShare(realised)}</td>
                <td>{formatSigned(bias)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="muted small">
        Covered: forecast and measurement agree within their errors; 95 % is aimed at. Brier: 0 is best, 0.25 is what a
        coin has. Realised: what was measured over what was forecast. Bias: measured less forecast, in standard errors;
        below 0 is forecast too high.
      </p>
    </>
  );
}

/** How the forecasts of rules are corrected now. */
function Corrections({ corrections }: { corrections: readonly Correction[] }) {
  if (corrections.length === 0) {
    return <p data-corrections={0}>No rule's forecasts are corrected: their outcomes do not contradict them.</p>;
  }
  return (
    <div data-corrections={corrections.length}>
      <div class="wide">
        <table>
          <caption>Corrected since</caption>
          <thead>
            <tr>
              <th scope="col">Rule</th>
              <th scope="col">Factor</th>
              <th scope="col">Widened by</th>
              <th scope="col">Measured over forecast</th>
              <th scope="col">Learned</th>
            </tr>
          </thead>
          <tbody>
            {corrections.map(({ correctionId, rule, factor, widening, ratio, outcomes, learnTime }) => (
              <tr key={correctionId} data-correction={correctionId}>
                <th scope="row">
                  <span class="id">{correctionId}</span> {rule}
                </th>
                <td>× {formatPart(factor)}</td>
                <td>± {formatShare(widening)}</td>
                <td>
                  {formatPart(ratio?.value ?? 0)}{" "}
                  {ratio?.interval && (
                    <span class="ends">
                      {formatPart(ratio.interval.lower)} to {formatPart(ratio.interval.upper)}
                    </span>
                  )}
                </td>
                <td>
                  {formatTime(learnTime)} from {formatCount(outcomes.length)} outcomes
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <p class="muted small">
        Analyses multiply the rule's forecasts by the factor, which is what was measured over what was forecast, drawn
        towards 1, and widen their intervals. <code>kaizen calibration --revert ID --reason TEXT</code> takes one back.
      </p>
    </div>
  );
}

function Forecasts({ forecasts }: { forecasts: readonly Forecast[] }) {
  return (
    <table>
      <caption class="unseen">Forecasts and what came of them, in units gained a week</caption>
      <thead>
        <tr>
          <th scope="col">Ticket</th>
          <th scope="col">Forecast a week</th>
          <th scope="col">Measured a week</th>
          <th scope="col">Covered</th>
          <th scope="col">P(better)</th>
          <th scope="col">Verdict</th>
        </tr>
      </thead>
      <tbody>
        {forecasts.map(({ ticketId, rule, forecast, measured, covered, probability, verdict, correctionId }) => (
          <tr key={ticketId} data-forecast={ticketId}>
            <th scope="row">
              <Link to={addressOfTicket(ticketId, "")}>
                <span class="id">{ticketId}</span>
              </Link>{" "}
              <span class="note">
                {rule}
                {correctionId && `, corrected by ${correctionId}`}
              </span>
            </th>
            <td>{gained(forecast)}</td>
            <td>{gained(measured)}</td>
            <td>{covered ? "yes" : "no"}</td>
            <td>{formatProbability(probability)}</td>
            <td>
              <Verdict verdict={verdict} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const gained = (of: Estimate | undefined) =>
  of ? (
    <>
      {formatSigned(of.value)}{" "}
      {of.interval && (
        <span class="ends">
          {formatSigned(of.interval.lower)} to {formatSigned(of.interval.upper)}
        </span>
      )}
    </>
  ) : (
    "–"
  );
