/** The heading of a view, with what the view is about. */
import type { ComponentChildren } from "preact";

interface Props {
  readonly title: string;
  readonly about: ComponentChildren;
  /** The current result, beside the heading. */
  readonly children?: ComponentChildren;
}

export function ViewHead({ title, about, children }: Props) {
  return (
    <header class="view-head">
      <div>
        <h1 id="view-title" tabIndex={-1}>
          {title}
        </h1>
        <p>{about}</p>
      </div>
      {children}
    </header>
  );
}
