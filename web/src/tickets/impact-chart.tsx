import { useCallback, useMemo } from "preact/hooks";
import uPlot from "uplot";
import { coloursOf, dots, type Events, FONT, frame, withRoom } from "../chart/draw";
import { isolated } from "../chart/lines";
import { Plot } from "../chart/plot";
import type { Impact, ImpactDay } from "../gen/kaizen/tracker/v1/impact_pb";
import { describeDay, type ImpactLines, isLeftOut, linesOfImpact } from "./impact-days";

/** The days before and after a change: what was measured, both means, and what would have been without it. */
export function ImpactChart({ impact, unit }: { impact: Impact; unit: string }) {
  const lines = useMemo(() => linesOfImpact(impact), [impact]);
  const told = useMemo(() => impact.days.map((day) => describeDay(day, lines.change, unit)), [impact, lines, unit]);
  const drawDays = useCallback(
    (place: HTMLElement, events: Events) => draw(place, impact.days, lines, unit, events),
    [impact, lines, unit],
  );
  return (
    <figure>
      <Plot
        label={`${impact.metric?.title ?? "The metric"} by day, before and after the change`}
        points={told}
        draw={drawDays}
      />
      <figcaption class="legend">
        <span class="key solid">by day</span>
        <span class="key dotted">not in the measurement</span>
        <span class="key mean">mean before and after</span>
        <span class="key dashed band">without the change, 95 %</span>
      </figcaption>
    </figure>
  );
}

function draw(place: HTMLElement, days: readonly ImpactDay[], lines: ImpactLines, unit: string, events: Events): uPlot {
  const colour = coloursOf(place);
  const line = colour("line");
  const quiet = { points: { show: false } };
  const hollow = days.flatMap((day, index) => (isLeftOut(day) && day.value !== undefined ? [index] : []));
  const options: uPlot.Options = {
    ...frame(place, unit, withRoom(unit)),
    height: HEIGHT,
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    series: [
      {},
      { label: "upper end", stroke: "transparent", ...quiet },
      { label: "lower end", stroke: "transparent", ...quiet },
      { label: "without the change", stroke: colour("line-before"), width: 1.25, dash: [4, 3], ...quiet },
      { label: "mean before", stroke: colour("muted"), width: 2, ...quiet },
      { label: "mean after", stroke: colour("muted"), width: 2, ...quiet },
      { label: "value", stroke: line, width: 1.5, points: dots(lines.used, isolated, line, line) },
      {
        label: "not in the measurement",
        stroke: line,
        width: 1.5,
        dash: [1, 3],
        points: dots(lines.leftOut, () => hollow, line, colour("surface")),
      },
    ],
    bands: [{ series: [1, 2], fill: colour("band") }],
    hooks: {
      setCursor: [(chart) => events.onPoint(chart.cursor.idx ?? undefined, chart.cursor.left ?? -1)],
      drawAxes: [(chart) => mark(chart, lines.change, colour("text"))],
    },
  };
  const { times, expectedHigh, expectedLow, expected, before, after, used, leftOut } = lines;
  return new uPlot(options, [times, expectedHigh, expectedLow, expected, before, after, used, leftOut], place);
}

/** Height of the chart in CSS pixels: it is the one that the page is about. */
const HEIGHT = 220;

/** Marks the time of the change. */
function mark(chart: uPlot, change: number, colour: string): void {
  const { ctx, bbox } = chart;
  const x = Math.round(chart.valToPos(change, "x", true));
  if (x < bbox.left || x > bbox.left + bbox.width) return;
  ctx.save();
  ctx.strokeStyle = colour;
  ctx.fillStyle = colour;
  ctx.lineWidth = devicePixelRatio;
  ctx.beginPath();
  ctx.moveTo(x, bbox.top);
  ctx.lineTo(x, bbox.top + bbox.height);
  ctx.stroke();
  ctx.font = FONT.replace(/^\d+/, (size) => String(Number(size) * devicePixelRatio));
  ctx.textBaseline = "top";
  ctx.textAlign = "right";
  ctx.fillText("changed", x - 4 * devicePixelRatio, bbox.top);
  ctx.restore();
}
