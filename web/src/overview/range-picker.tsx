import { useEffect, useState } from "preact/hooks";
import { Link } from "../link";
import { visit } from "../location";
import { formatInstant, formatRange, parseRange, presets, type Range, type Span, STEPS, sameRange } from "../range";

/** Chooses the range: by name, or from, to and step. The choice goes into the address. */
export function RangePicker({ range, data }: { range: Range; data: Span }) {
  const [problem, setProblem] = useState<string>();
  const kept = formatRange(range);
  // Not every dependency: another range clears the problem of the last one.
  useEffect(() => setProblem(undefined), [kept]);

  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    const entered = new FormData(event.currentTarget as HTMLFormElement);
    const search = `?${["from", "to", "step"].map((name) => `${name}=${entered.get(name)}`).join("&")}`;
    try {
      const asked = parseRange(search);
      if (asked) visit(formatRange(asked));
      setProblem(undefined);
    } catch (error) {
      setProblem(error instanceof Error ? error.message : String(error));
    }
  };

  return (
    <section class="range" aria-label="Time range">
      <ul class="presets">
        {presets(data).map((preset) => {
          const search = formatRange(preset.range);
          return (
            <li key={preset.title}>
              <Link to={search} current={sameRange(preset.range, range) ? "true" : undefined}>
                {preset.title}
              </Link>
            </li>
          );
        })}
      </ul>
      <form key={kept} onSubmit={submit} noValidate>
        <Instant name="from" title="From" instant={range.from} />
        <Instant name="to" title="Until, not included" instant={range.to} />
        <label>
          Step
          <select name="step">
            {STEPS.map((step) => (
              <option key={step} value={step} selected={step === range.step}>
                {step}
              </option>
            ))}
          </select>
        </label>
        <button type="submit">Apply</button>
      </form>
      {problem && (
        <p class="problem" role="alert">
          {problem}
        </p>
      )}
    </section>
  );
}

/** A date, or a date and hour when the instant is not midnight; UTC. */
function Instant({ name, title, instant }: { name: string; title: string; instant: number }) {
  const text = formatInstant(instant).replace("Z", "");
  return (
    <label>
      {title}
      <input
        name={name}
        type={text.length > 10 ? "datetime-local" : "date"}
        step={text.length > 10 ? 3600 : 1}
        value={text}
      />
    </label>
  );
}
