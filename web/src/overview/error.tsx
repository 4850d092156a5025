import type { Failure } from "../api/failure";

/** Says which request failed, with which gRPC code and why, and offers to try again. */
export function ErrorNotice({ failure, retry }: { failure: Failure; retry: () => void }) {
  return (
    <div class="notice error" role="alert">
      <strong>
        {failure.request} failed: {failure.code}
      </strong>
      <p>{failure.message}</p>
      <button type="button" onClick={retry}>
        Try again
      </button>
    </div>
  );
}
