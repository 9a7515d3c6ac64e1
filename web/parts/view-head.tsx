/** The heading of a view, with what the view is about. */
import type { ComponentChildren } from "preact";
import type { CopiedView } from "../state/commands.ts";
import { CopyButton } from "./copy-button.tsx";

interface Props {
  /** The view, if a command or a program outside of the page computes its figures. */
  readonly copied?: CopiedView;
  readonly title: string;
  readonly about: ComponentChildren;
  /** The current result, beside the heading. */
  readonly children?: ComponentChildren;
}

export function ViewHead({ copied, title, about, children }: Props) {
  return (
    <header class="view-head">
      <div>
        <h1 id="view-title" tabIndex={-1}>
          {title}
        </h1>
        <p>{about}</p>
        {copied && (
          <CopyButton
            label={copied === "intervene" ? "Copy program" : "Copy command"}
            text={async () => (await import("../state/commands.ts")).commandOf(copied)}
          />
        )}
      </div>
      {children}
    </header>
  );
}
