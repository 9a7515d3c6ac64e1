/** A modal dialog: the browser's own, which traps the focus and closes with Escape. */
import type { ComponentChildren } from "preact";
import { useLayoutEffect, useRef } from "preact/hooks";
import { openDialog } from "../state/derived.ts";
import { Icon } from "./icon.tsx";

interface Props {
  readonly title: string;
  readonly class: string;
  readonly children: ComponentChildren;
}

export function Dialog({ title, class: name, children }: Props) {
  const dialog = useRef<HTMLDialogElement>(null);
  useLayoutEffect(() => {
    dialog.current?.showModal();
  }, []);
  const close = (): void => {
    openDialog.value = null;
  };
  return (
    <dialog
      ref={dialog}
      class={name}
      aria-label={title}
      onClose={close}
      onClick={(event) => {
        if (event.target === dialog.current) close();
      }}
    >
      <div class="dialog-box">
        <header>
          <h2>{title}</h2>
          <button type="button" class="plain" aria-label="Close" onClick={close}>
            <Icon name="close" />
          </button>
        </header>
        {children}
      </div>
    </dialog>
  );
}
