import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

interface Props {
  class?: string;
  summary: ComponentChildren;
  /** Made when it is opened for the first time: it may be long. */
  children: () => ComponentChildren;
}

/** What opens to more, which is not made before. */
export function Details({ class: name, summary, children }: Props) {
  const [wasOpened, setOpened] = useState(false);
  return (
    <details class={name} onToggle={() => setOpened(true)}>
      <summary>{summary}</summary>
      {wasOpened && children()}
    </details>
  );
}
