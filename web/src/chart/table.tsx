import { formatCount, formatInterval } from "../format";
import { titleOfSpan } from "../range";
import { valueOrNone } from "./describe";
import type { Slot } from "./lines";

interface Props {
  title: string;
  unit: string;
  slots: readonly Slot[];
}

/** What a chart shows, as a table. */
export function PointsTable({ title, unit, slots }: Props) {
  return (
    <table>
      <caption class="unseen">{title}, point by point</caption>
      <thead>
        <tr>
          <th scope="col">Period</th>
          <th scope="col">Value</th>
          <th scope="col">n</th>
          <th scope="col">95 % interval</th>
          <th scope="col">Before</th>
        </tr>
      </thead>
      <tbody>
        {slots.map((slot) => (
          <tr key={slot.from}>
            <th scope="row">
              {titleOfSpan(slot)}
              {slot.incomplete && <span class="note"> incomplete</span>}
            </th>
            <td>{valueOrNone(slot.value, unit)}</td>
            <td>{formatCount(slot.value?.n ?? 0n)}</td>
            <td>{slot.value?.interval ? formatInterval(slot.value.interval, unit) : "–"}</td>
            <td>{slot.previous ? valueOrNone(slot.previous.value, unit) : "–"}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
