import { useEffect, useRef, useState } from "preact/hooks";
import type uPlot from "uplot";
import { useTheme } from "../theme";
import type { Described } from "./describe";
import type { Events } from "./draw";

interface Props {
  /** What is drawn, for those who do not see it. */
  label: string;
  /** What each point says. */
  points: readonly Described[];
  /** Draws it; another function draws it anew. */
  draw: (place: HTMLElement, events: Events) => uPlot;
  /** The user dragged over these points. */
  onSelect?: (first: number, last: number) => void;
}

/** A chart. The pointer or the arrow keys tell a point. */
export function Plot({ label, points, draw, onSelect }: Props) {
  const place = useRef<HTMLDivElement>(null);
  const chart = useRef<uPlot>(null);
  const [index, setIndex] = useState<number>();
  const [left, setLeft] = useState(0);
  const [theme] = useTheme();

  // Not every dependency: the theme changes the colours that are drawn with, and `onSelect` goes with `draw`.
  useEffect(() => {
    const element = place.current;
    if (!element) return;
    const drawn = draw(element, {
      onPoint: (point, at) => {
        // The cursors of all charts move together; only the one in use tells its point.
        setIndex(element.parentElement?.matches(":hover, :focus") ? point : undefined);
        setLeft(at);
      },
      onSelect: (first, last) => onSelect?.(first, last),
    });
    chart.current = drawn;
    const resize = new ResizeObserver(() => drawn.setSize({ width: element.clientWidth, height: drawn.height }));
    resize.observe(element);
    return () => {
      resize.disconnect();
      drawn.destroy();
      chart.current = null;
    };
  }, [draw, theme]);

  const moveTo = (to: number | undefined) => {
    const time = to === undefined ? undefined : chart.current?.data[0][to];
    if (chart.current) {
      chart.current.setCursor({ left: time === undefined ? -10 : chart.current.valToPos(time, "x"), top: 1 });
    }
  };
  const onKeyDown = (event: KeyboardEvent) => {
    const last = points.length - 1;
    const now = index ?? (event.key === "ArrowLeft" ? last + 1 : -1);
    const targets: Record<string, number> = { ArrowLeft: now - 1, ArrowRight: now + 1, Home: 0, End: last };
    const target = targets[event.key];
    if (target === undefined && event.key !== "Escape") return;
    event.preventDefault();
    moveTo(target === undefined ? undefined : Math.min(last, Math.max(0, target)));
  };

  const said = index === undefined ? undefined : points[index];
  return (
    <div
      class="chart"
      role="slider"
      tabIndex={0}
      aria-label={label}
      aria-orientation="horizontal"
      aria-valuemin={0}
      aria-valuemax={Math.max(0, points.length - 1)}
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
