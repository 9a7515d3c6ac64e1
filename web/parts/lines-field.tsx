/** A list of texts, one a line. */
import { useEffect, useId, useState } from "preact/hooks";

interface Props {
  readonly label: string;
  readonly hint: string;
  readonly rows: number;
  readonly lines: readonly string[];
  /** Called with the lines that are not blank, if there are any. */
  readonly onChange: (lines: readonly string[]) => void;
}

export function LinesField({ label, hint, rows, lines, onChange }: Props) {
  const id = useId();
  const given = lines.join("\n");
  const [text, setText] = useState(given);
  useEffect(() => {
    if (kept(text).join("\n") !== given) setText(given);
  }, [given]);
  return (
    <div class="field">
      <label for={id}>
        {label} <small>{hint}</small>
      </label>
      <textarea
        id={id}
        rows={rows}
        spellcheck={false}
        value={text}
        onInput={(event) => {
          const { value } = event.currentTarget;
          setText(value);
          const next = kept(value);
          if (next.length > 0) onChange(next);
        }}
      />
    </div>
  );
}

function kept(text: string): string[] {
  return text.split("\n").filter((line) => line.trim() !== "");
}
