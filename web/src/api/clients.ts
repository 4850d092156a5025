import { type Client, createClient, type Transport } from "@connectrpc/connect";
import { createGrpcWebTransport } from "@connectrpc/connect-web";
import { AnalysisService } from "../gen/kaizen/analysis/v1/analysis_pb";
import { MetricService } from "../gen/kaizen/analysis/v1/metrics_pb";
import { TrackerService } from "../gen/kaizen/tracker/v1/tracker_pb";

/** The services the dashboard reads, all served by `reporting`. */
export interface Clients {
  metrics: Client<typeof MetricService>;
  analyses: Client<typeof AnalysisService>;
  tracker: Client<typeof TrackerService>;
}

/** Deadline of every request, in milliseconds; the server honours it. */
const DEADLINE_MS = 30_000;

/** Clients that speak gRPC-Web to `baseUrl`. */
export const connect = (baseUrl: string): Clients =>
  over(createGrpcWebTransport({ baseUrl, defaultTimeoutMs: DEADLINE_MS }));

/** Clients over any transport. */
export const over = (transport: Transport): Clients => ({
  metrics: createClient(MetricService, transport),
  analyses: createClient(AnalysisService, transport),
  tracker: createClient(TrackerService, transport),
});
