import { formatCount, formatValue } from "../format";
import type { Impact } from "../gen/kaizen/tracker/v1/impact_pb";
import { titleOfSpan } from "../range";
import { isAfter, linesOfImpact, spanOfDay } from "./impact-days";

/** What the chart of an impact shows, as a table. */
export function ImpactTable({ impact, unit }: { impact: Impact; unit: string }) {
  const { change } = linesOfImpact(impact);
  return (
    <table data-days={impact.days.length}>
      <caption class="unseen">The days before and after the change</caption>
      <thead>
        <tr>
          <th scope="col">Day</th>
          <th scope="col">Side</th>
          <th scope="col">Value</th>
          <th scope="col">n</th>
          <th scope="col">In the measurement</th>
        </tr>
      </thead>
      <tbody>
        {impact.days.map((day) => (
          <tr key={spanOfDay(day).from}>
            <th scope="row">{titleOfSpan(spanOfDay(day))}</th>
            <td>{isAfter(day, change) ? "after" : "before"}</td>
            <td>{day.value === undefined ? "no value" : formatValue(day.value, unit)}</td>
            <td>{formatCount(day.n)}</td>
            <td>{day.leftOut ? `no: ${day.leftOut}` : "yes"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
