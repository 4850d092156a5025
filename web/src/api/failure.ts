import { Code, ConnectError } from "@connectrpc/connect";

/** Why a request failed, for people to read. */
export interface Failure {
  /** Method that was called, for example `QueryMetric`. */
  request: string;
  /** gRPC code, for example `INVALID_ARGUMENT`. */
  code: string;
  message: string;
}

/** Names the request and the gRPC code; an error that is not gRPC's own is `UNKNOWN`. */
export function failureOf(request: string, error: unknown): Failure {
  const { code, rawMessage } = ConnectError.from(error);
  return { request, code: screaming(Code[code] ?? "Unknown"), message: rawMessage };
}

const screaming = (name: string): string => name.replace(/(?<=[a-z])(?=[A-Z])/g, "_").toUpperCase();
