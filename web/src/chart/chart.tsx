import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import { visit } from "../location";
import { formatRange, type StepName } from "../range";
import { useTheme } from "../theme";
import { describe } from "./describe";
import { draw } from "./draw";
import { linesOf, type Slot } from "./lines";

interface Props {
  title: string;
  unit: string;
  step: StepName;
  slots: Slot[];
}

/** A metric over time. The pointer or the arrow keys tell a point; a drag zooms the whole page to what it spans. */
export function Chart({ title, unit, step, slots }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(null);
  const [index, setIndex] = useState<number>();
  const [left, setLeft] = useState(0);
  const [theme] = useTheme();
  const lines = useMemo(() => linesOf(slots), [slots]);

  // Not every dependency: the theme changes the colours that are drawn with.
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const drawn = draw(element, slots, lines, unit, {
      onPoint: (point, at) => {
        // The cursors of all charts move together; only the one in use tells its point.
        setIndex(element.parentElement?.matches(":hover, :focus") ? point : undefined);
        setLeft(at);
      },
      onSelect: (first, last) => {
        const [from, to] = [slots[first]?.from, slots[last]?.to];
        if (from !== undefined && to !== undefined) visit(formatRange({ from, to, step }));
      },
    });
    chart.current = drawn;
    const resize = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height: drawn.height }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      drawn.destroy();
      chart.current = null;
    };
  }, [slots, lines, unit, step, theme]);

  const moveTo = (to: number | undefined) => {
    const time = to === undefined ? undefined : lines.times[to];
    if (chart.current) {
      chart.current.setCursor({ left: time === undefined ? -10 : chart.current.valToPos(time, "x"), top: 1 });
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const last = slots.length - 1;
    const now = index ?? (event.key === "ArrowLeft" ? last + 1 : -1);
    const targets: Record<string, number> = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last };
    const target = targets[event.key];
    if (target === undefined && event.key !== "Escape") return;
    event.preventDefault();
    moveTo(target === undefined ? undefined : Math.min(last, Math.max(0, target)));
  };

  const slot = index === undefined ? undefined : slots[index];
  const said = slot && describe(slot, unit);
  return (
    <div
      class="chart"
      role="slider"
      tabIndex={0}
      aria-label={`${title} over time, by ${step}`}
      aria-orientation="horizontal"
      aria-valuemin={0}
      aria-valuemax={Math.max(0, slots.length - 1)}
      aria-valuenow={index ?? 0}
      aria-valuetext={said ? [said.when, said.value, ...said.details].join(", ") : "no point chosen"}
      onKeyDown={onKeyDown}
      onBlur={() => moveTo(undefined)}
    >
      <div class="plot" ref={place} />
      {said && (
        <div class={left > (place.current?.clientWidth ?? 0) / 2 ? "tooltip at-left" : "tooltip at-right"}>
          <span>{said.when}</span>
          <strong>{said.value}</strong>
          {said.details.map((detail) => (
            <span key={detail}>{detail}</span>
          ))}
        </div>
      )}
    </div>
  );
}
