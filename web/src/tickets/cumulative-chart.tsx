import { timestampMs } from "@bufbuild/protobuf/wkt";
import { useCallback, useMemo } from "preact/hooks";
import uPlot from "uplot";
import type { Described } from "../chart/describe";
import { coloursOf, type Events, frame } from "../chart/draw";
import { Plot } from "../chart/plot";
import { formatCount, formatMoney, formatTime } from "../format";
import type { CumulativePoint } from "../gen/kaizen/tracker/v1/impact_pb";

/** Of more measurements than this the dots would be a second line. */
const DOTTED = 60;

/** Seconds of a day. */
const DAY = 86_400;

/** Sums of returns over time, as measured and shrunk; each holds until the next measurement. */
export function CumulativeChart({ points, currency }: { points: readonly CumulativePoint[]; currency: string }) {
  const told = useMemo(() => points.map((point) => describe(point, currency)), [points, currency]);
  const drawPoints = useCallback((place: HTMLElement, events: Events) => draw(place, points, events), [points]);
  return (
    <figure>
      <Plot label="Returns over time, as measured and shrunk" points={told} draw={drawPoints} />
      <figcaption class="legend">
        <span class="key solid">shrunk</span>
        <span class="key dashed">as measured</span>
      </figcaption>
    </figure>
  );
}

const describe = ({ time, tickets, net, shrunk }: CumulativePoint, currency: string): Described => ({
  when: formatTime(time),
  value: `${formatMoney(shrunk, currency)} shrunk`,
  details: [`${formatMoney(net, currency)} as measured`, `${formatCount(tickets)} tickets`],
});

function draw(place: HTMLElement, points: readonly CumulativePoint[], events: Events): uPlot {
  const colour = coloursOf(place);
  const paths = uPlot.paths.stepped?.({ align: 1 });
  const steps = paths ? { paths } : {};
  const dot = (stroke: string) => ({ show: points.length <= DOTTED, size: 5, width: 1, stroke, fill: stroke });
  const common = frame(place, "amount", withZero);
  const options: uPlot.Options = {
    ...common,
    scales: { ...common.scales, x: { time: true, range: aDayOrMore } },
    cursor: { y: false, drag: { x: false, y: false }, points: { size: 7 } },
    series: [
      {},
      {
        label: "as measured",
        stroke: colour("line-before"),
        width: 1.5,
        dash: [4, 3],
        points: dot(colour("line-before")),
        ...steps,
      },
      { label: "shrunk", stroke: colour("line"), width: 1.75, points: dot(colour("line")), ...steps },
    ],
    hooks: { setCursor: [(chart) => events.onPoint(chart.cursor.idx ?? undefined, chart.cursor.left ?? -1)] },
  };
  const times = points.map(({ time }) => (time ? timestampMs(time) / 1000 : 0));
  return new uPlot(options, [times, points.map(({ net }) => net), points.map(({ shrunk }) => shrunk)], place);
}

/** One measurement alone still has a day around it. */
const aDayOrMore: uPlot.Range.Function = (_, low, high) => {
  const [first, last] = [low ?? 0, high ?? 0];
  const room = Math.max(0, DAY - (last - first)) / 2;
  return [first - room, last + room];
};

/** A little room around the sums, and always the line between gain and loss. */
const withZero: uPlot.Range.Function = (_, low, high) => {
  const [bottom, top] = [Math.min(0, low ?? 0), Math.max(0, high ?? 0)];
  const room = (top - bottom || 1) * 0.1;
  return [bottom < 0 ? bottom - room : 0, top > 0 ? top + room : 0];
};
