import { useEffect, useState } from "preact/hooks";
import type { Connection, Live } from "./live";

/** When what is shown was read, how live it is, and a button that pauses it. */
export function Updated({ live, readAt }: { live: Live; readAt: number | undefined }) {
  const { connection, isPaused, pause } = live;
  const now = useNow();
  return (
    <p class="updated muted small" data-live={connection.state}>
      <span role="status">{wordOf(connection)}</span>
      <span>{readAt !== undefined && `updated ${ago(Math.max(0, now - readAt))}`}</span>
      <button type="button" aria-pressed={isPaused} onClick={() => pause(!isPaused)}>
        {isPaused ? "Resume" : "Pause"}
      </button>
    </p>
  );
}

/** When `value` became another one, in milliseconds since 1970; absent while it is none. */
export function useSince(value: unknown): number | undefined {
  const [since, setSince] = useState<number>();
  useEffect(() => {
    if (value !== undefined) setSince(Date.now());
  }, [value]);
  return since;
}

function wordOf(connection: Connection): string {
  switch (connection.state) {
    case "connecting":
      return "connecting";
    case "live":
      return "live";
    case "paused":
      return "paused";
    case "lost":
      return `not live: ${connection.failure.request} failed: ${connection.failure.code}; it is tried again`;
  }
}

/** A time since, for people. */
export function ago(milliseconds: number): string {
  const seconds = Math.floor(milliseconds / 1_000);
  if (seconds < 60) return `${seconds} s ago`;
  const minutes = Math.floor(seconds / 60);
  return minutes < 60 ? `${minutes} min ago` : `${Math.floor(minutes / 60)} h ago`;
}

function useNow(): number {
  const [now, setNow] = useState(Date.now());
  useEffect(() => {
    const timer = setInterval(() => setNow(Date.now()), 1_000);
    return () => clearInterval(timer);
  }, []);
  return now;
}
