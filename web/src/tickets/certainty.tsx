import { formatChange, formatCount, formatPart, formatProbability } from "../format";
import type { Control, Impact, MeasurementConfidence, Rung } from "../gen/kaizen/tracker/v1/impact_pb";
import { Fact, Facts } from "./facts";
import { wordOfMethod, wordOfRung } from "./words";

/** How an effect is known, why not better, and how much it is to be trusted. */
export function Certainty({ impact, unit }: { impact: Impact; unit: string }) {
  const { method, rungs, confidence, controls } = impact;
  return (
    <>
      <section aria-label="Method" data-method={method}>
        <h3>How it is known</h3>
        <p>{wordOfMethod(method)}</p>
        <Ladder rungs={rungs} />
        {controls.length > 0 && <Controls controls={controls} />}
      </section>
      <section aria-label="Confidence">
        <h3>How much it is to be trusted</h3>
        {confidence ? <Confidence confidence={confidence} /> : <p class="muted">Not told.</p>}
        <Checks impact={impact} unit={unit} />
      </section>
    </>
  );
}

function Ladder({ rungs }: { rungs: readonly Rung[] }) {
  return (
    <ol class="ladder">
      {rungs.map(({ method, refused }) => (
        <li key={method} data-rung={method} class={refused ? "refused" : "taken"}>
          <span aria-hidden="true">{refused ? "✕" : "✓"}</span>{" "}
          <span>
            {refused ? "not " : ""}
            {wordOfRung(method)}
            {refused && <span class="note">: {refused}</span>}
          </span>
        </li>
      ))}
    </ol>
  );
}

function Controls({ controls }: { controls: readonly Control[] }) {
  return (
    <details data-controls={controls.length}>
      <summary>Untouched slices ({controls.length})</summary>
      <div class="wide">
        <table>
          <caption class="unseen">Untouched slices</caption>
          <thead>
            <tr>
              <th scope="col">Slice</th>
              <th scope="col">Weight</th>
              <th scope="col">P(moved alone)</th>
              <th scope="col">Use</th>
            </tr>
          </thead>
          <tbody>
            {controls.map(({ name, weight, movedAlone, refused }) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td>{weight === undefined ? "–" : formatPart(weight)}</td>
                <td>{movedAlone === undefined ? "–" : formatProbability(movedAlone)}</td>
                <td class="text">{refused ? `not used: ${refused}` : "used"}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </details>
  );
}

const PARTS: [keyof MeasurementConfidence & ("method" | "information" | "present" | "placebo"), string][] = [
  ["method", "method"],
  ["information", "information"],
  ["present", "days present"],
  ["placebo", "placebo"],
];

function Confidence({ confidence }: { confidence: MeasurementConfidence }) {
  return (
    <p class="product" data-confidence={confidence.value}>
      <strong>{formatPart(confidence.value)}</strong> ={" "}
      {PARTS.map(([part, word], index) => (
        <span key={part}>
          {index > 0 && " × "}
          {formatPart(confidence[part])} <span class="note">{word}</span>
        </span>
      ))}
    </p>
  );
}

/** The same when nothing was changed, whether it fades, and whether something else happened at the time. */
function Checks({ impact: { placebo, novelty, shock }, unit }: { impact: Impact; unit: string }) {
  return (
    <Facts>
      <Fact name="placebo">
        {placebo &&
          (placebo.tried === 0
            ? "there are too few days before the change to try it on"
            : `of ${formatCount(placebo.tried)} times when nothing was changed, ${formatCount(placebo.asLarge)} had an effect as large`)}
      </Fact>
      <Fact name="novelty">
        {novelty &&
          `${formatChange(novelty.first, unit)} in the first third, ${formatChange(novelty.last, unit)} in the last, p = ${novelty.pValue.toPrecision(2)}: ${novelty.fading ? "it fades" : "no sign that it fades"}`}
      </Fact>
      <Fact name="shock">
        {shock === undefined
          ? ""
          : `something happened to all controls at that time with a probability of ${formatProbability(shock)}`}
      </Fact>
    </Facts>
  );
}
