import { useCallback, useMemo } from "preact/hooks";
import { visit } from "../location";
import { formatRange, type StepName } from "../range";
import { describe } from "./describe";
import { draw, type Events } from "./draw";
import { linesOf, type Slot } from "./lines";
import { Plot } from "./plot";

interface Props {
  title: string;
  unit: string;
  step: StepName;
  slots: Slot[];
}

/** A metric over time. A drag zooms the whole page to what it spans. */
export function Chart({ title, unit, step, slots }: Props) {
  const lines = useMemo(() => linesOf(slots), [slots]);
  const points = useMemo(() => slots.map((slot) => describe(slot, unit)), [slots, unit]);
  const drawSlots = useCallback(
    (place: HTMLElement, events: Events) => draw(place, slots, lines, unit, events),
    // `step` too: what a drag selects is shown by it.
    [slots, lines, unit, step],
  );
  const onSelect = (first: number, last: number) => {
    const [from, to] = [slots[first]?.from, slots[last]?.to];
    if (from !== undefined && to !== undefined) visit(formatRange({ from, to, step }));
  };
  return <Plot label={`${title} over time, by ${step}`} points={points} draw={drawSlots} onSelect={onSelect} />;
}
