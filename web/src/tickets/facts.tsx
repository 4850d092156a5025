import type { ComponentChildren } from "preact";

/** Names with what they stand for. */
export const Facts = ({ children }: { children: ComponentChildren }) => <dl class="facts">{children}</dl>;

/** One of them; nothing where there is nothing to tell. */
export function Fact({ name, children }: { name: string; children: ComponentChildren }) {
  if (children === "" || children === undefined) return null;
  return (
    <div data-fact={name}>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
