/** Copies a text, and says so. */
import { useState } from "preact/hooks";
import { notifyError } from "../state/notices.ts";
import { Icon } from "./icon.tsx";

interface Props {
  readonly text: string | (() => Promise<string>);
  readonly label: string;
}

export function CopyButton({ text, label }: Props) {
  const [isCopied, setCopied] = useState(false);
  return (
    <button
      type="button"
      onClick={() => {
        copy(text).then(() => {
          setCopied(true);
          setTimeout(() => {
            setCopied(false);
          }, 2000);
        }, notifyError);
      }}
    >
      <Icon name="copy" /> <span aria-live="polite">{isCopied ? "Copied" : label}</span>
    </button>
  );
}

async function copy(text: Props["text"]): Promise<void> {
  await navigator.clipboard.writeText(typeof text === "string" ? text : await text());
}
