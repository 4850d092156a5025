import { useEffect, useState } from "preact/hooks";
import { type Failure, failureOf } from "./failure";

/** Where a request stands. While one repeats, `value` is the last answer. */
export type Loaded<T> = { retry: () => void } & (
  | { state: "loading"; value: T | undefined }
  | { state: "ready"; value: T }
  | { state: "failed"; failure: Failure }
);

type Answer<T> = { key: string } & ({ value: T } | { failure: Failure });

/**
 * Loads what `key` stands for, again whenever the key changes; an overtaken request is cancelled and never shown.
 * `request` is the name told when it fails.
 */
export function useLoad<T>(request: string, key: string, load: (signal: AbortSignal) => Promise<T>): Loaded<T> {
  const [attempt, setAttempt] = useState(0);
  const [answer, setAnswer] = useState<Answer<T>>();
  const asked = `${attempt} ${key}`;
  // Not every dependency: `key` stands for everything `load` closes over.
  useEffect(() => {
    const abort = new AbortController();
    load(abort.signal).then(
      (value) => abort.signal.aborted || setAnswer({ key: asked, value }),
      (error) => abort.signal.aborted || setAnswer({ key: asked, failure: failureOf(request, error) }),
    );
    return () => abort.abort();
  }, [asked]);

  const retry = () => setAttempt((count) => count + 1);
  if (answer?.key !== asked) {
    return { state: "loading", value: answer && "value" in answer ? answer.value : undefined, retry };
  }
  return "value" in answer
    ? { state: "ready", value: answer.value, retry }
    : { state: "failed", failure: answer.failure, retry };
}
