import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { create } from "@bufbuild/protobuf";
import { timestampFromMs } from "@bufbuild/protobuf/wkt";
import { connectNodeAdapter } from "@connectrpc/connect-node";
import { afterAll, beforeAll, expect, test } from "vitest";
import { connect } from "../src/api/clients";
import { failureOf } from "../src/api/failure";
import { slotsOf } from "../src/chart/lines";
import { TrendDirection, TrendSchema } from "../src/gen/kaizen/analysis/v1/analysis_pb";
import { SeriesSchema, Step } from "../src/gen/kaizen/analysis/v1/metrics_pb";
import { byUrgency } from "../src/overview/analysis";
import { ranked } from "../src/overview/groups";
import { DATA, DAY, METRICS, ordinary, routes } from "./mock";

const behaviour = ordinary();
let server: Server;
let url: string;

beforeAll(async () => {
  server = createServer(connectNodeAdapter({ routes: routes(behaviour) }));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
});
afterAll(() => server.close());

const query = (metric: string) =>
  connect(url).metrics.queryMetric({
    metric,
    window: { startTime: timestampFromMs(DATA.from), endTime: timestampFromMs(DATA.from + 7 * DAY) },
    step: Step.DAY,
    compareTo: { to: { case: "previous", value: true } },
  });

test("the clients speak gRPC-Web: the catalogue and a series arrive whole", async () => {
  const { metrics } = await connect(url).metrics.listMetrics({});
  expect(metrics.map(({ name }) => name)).toEqual(METRICS.map(({ name }) => name));

  const { series } = await query("lead_enrichment.success_rate");
  const [only] = series;
  expect(series).toHaveLength(1);
  const slots = only ? slotsOf(only) : [];
  expect(slots.map(({ from }) => from)).toEqual([0, 1, 2, 3, 4, 5, 6].map((day) => DATA.from + day * DAY));
  expect(slots.map(({ previous }) => previous?.from)).toEqual(slots.map(({ from }) => from - 7 * DAY));
});

test("a failure names the request, the gRPC code and the server's words", async () => {
  behaviour.broken.add("crm_sync.success_rate");
  const caught = await query("crm_sync.success_rate").catch((error: unknown) => failureOf("QueryMetric", error));
  expect(caught).toEqual({ request: "QueryMetric", code: "UNAVAILABLE", message: "the engine is away" });
});

test("a code of two words is spelled as gRPC spells it", async () => {
  const caught = await query("no.such").catch((error: unknown) => failureOf("QueryMetric", error));
  expect(caught).toMatchObject({ code: "NOT_FOUND" });
});

test("groups are ranked by value, the empty ones after, the rest last", () => {
  const group = (name: string, value?: number) =>
    create(SeriesSchema, { group: name, total: value === undefined ? {} : { value } });
  const order = ranked([group("__other__", 9), group("low", 1), group("none"), group("high", 2)]);
  expect(order.map(({ group }) => group)).toEqual(["high", "low", "none", "__other__"]);
});

test("trends are listed worst first, in catalogue order within a direction", () => {
  const { DECLINING, IMPROVING, STABLE } = TrendDirection;
  const trends = [STABLE, DECLINING, IMPROVING, DECLINING].map((direction, index) =>
    create(TrendSchema, { metric: String(index), direction }),
  );
  expect(byUrgency(trends).map(({ metric }) => metric)).toEqual(["1", "3", "2", "0"]);
});
