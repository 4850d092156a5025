import { useEffect, useRef, useState } from "preact/hooks";
import type { Clients } from "../api/clients";
import { type Failure, failureOf } from "../api/failure";
import { ORDERS } from "./asked";

type Tracker = Clients["tracker"];

/** How live a page is. */
export type Connection =
  | { state: "connecting" }
  | { state: "live" }
  | { state: "paused" }
  /** It is tried again by itself. */
  | { state: "lost"; failure: Failure };

export interface Live {
  connection: Connection;
  /** Whether changes from now on are noticed, or cannot be: what is read from then on misses none. */
  isReady: boolean;
  /** Another one after each change: what was read before it may be out of date. */
  version: number;
  isPaused: boolean;
  pause: (isPaused: boolean) => void;
}

/** Shortest time between two versions, in milliseconds: however much happens, a page has time to be read. */
const APART_MS = 2_000;
/** Waits before a lost stream is tried again, in milliseconds, the last one for all that follow. */
const WAITS_MS = [1_000, 2_000, 5_000, 15_000];
/** A stream that was open for so long was none that fails at once. */
const LASTING_MS = 15_000;

/**
 * Follows what happens to tickets, to one of them where `ticketId` is not empty. Paused, or while nobody sees the page, no
 * stream is open; resumed, it goes on after the last event that came, so that nothing is missed.
 */
export function useLive(client: Tracker, ticketId: string): Live {
  const [connection, setConnection] = useState<Connection>({ state: "connecting" });
  const [isReady, setReady] = useState(false);
  const [version, setVersion] = useState(0);
  const [isPaused, pause] = useState(false);
  const isSeen = useSeen();
  // The last event that came, over all streams of this page.
  const after = useRef<string | undefined>(undefined);
  useEffect(() => {
    if (isPaused) setConnection({ state: "paused" });
    if (isPaused || !isSeen) return;
    const abort = new AbortController();
    const changed = throttled(() => setVersion((version) => version + 1), abort.signal);
    const told = (connection: Connection) => {
      setConnection(connection);
      if (connection.state !== "connecting") setReady(true);
    };
    follow(client, ticketId, after, abort.signal, told, changed);
    return () => abort.abort();
  }, [client, ticketId, isPaused, isSeen]);
  return { connection, isReady, version, isPaused, pause };
}

/** Follows until `signal`, over one stream after the other. */
async function follow(
  client: Tracker,
  ticketId: string,
  after: { current: string | undefined },
  signal: AbortSignal,
  told: (connection: Connection) => void,
  changed: () => void,
): Promise<void> {
  for (let losses = 0; !signal.aborted; losses += 1) {
    const began = performance.now();
    try {
      const wasLost = losses > 0 && after.current === undefined;
      after.current ??= await latest(client, signal);
      if (signal.aborted) return;
      told({ state: "live" });
      // What was read while it was lost may be out of date.
      if (wasLost) changed();
      const stream = client.watchTickets({ ticketId, afterEventId: after.current }, { signal, timeoutMs: 0 });
      for await (const { event } of stream) {
        after.current = event?.eventId ?? after.current;
        changed();
      }
      // The service ended: it is there again soon.
      if (signal.aborted) return;
      told({ state: "connecting" });
    } catch (error) {
      if (signal.aborted) return;
      told({ state: "lost", failure: failureOf("WatchTickets", error) });
    }
    if (performance.now() - began > LASTING_MS) losses = 0;
    await wait(WAITS_MS[Math.min(losses, WAITS_MS.length - 1)] ?? 0, signal);
  }
}

/** The latest event of all: the etag of the ticket that changed last. */
async function latest(client: Tracker, signal: AbortSignal): Promise<string> {
  const { tickets } = await client.listTickets({ pageSize: 1, orderBy: ORDERS.changed }, { signal });
  return tickets[0]?.etag || "0";
}

/** Calls at once, and what is asked for within `APART_MS` of that together after it. */
function throttled(call: () => void, signal: AbortSignal): () => void {
  let last = Number.NEGATIVE_INFINITY;
  let timer: ReturnType<typeof setTimeout> | undefined;
  signal.addEventListener("abort", () => clearTimeout(timer));
  const now = () => {
    timer = undefined;
    last = performance.now();
    call();
  };
  return () => {
    timer ??= setTimeout(now, Math.max(0, last + APART_MS - performance.now()));
  };
}

const wait = (milliseconds: number, signal: AbortSignal): Promise<void> =>
  new Promise((resolve) => {
    const timer = setTimeout(resolve, milliseconds);
    signal.addEventListener("abort", () => {
      clearTimeout(timer);
      resolve();
    });
  });

/** Whether the page is seen: a tab behind others holds no stream, of which a browser allows few. */
function useSeen(): boolean {
  const [isSeen, setSeen] = useState(document.visibilityState !== "hidden");
  useEffect(() => {
    const look = () => setSeen(document.visibilityState !== "hidden");
    document.addEventListener("visibilitychange", look);
    return () => document.removeEventListener("visibilitychange", look);
  }, []);
  return isSeen;
}
