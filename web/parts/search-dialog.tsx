/** Finds a value by a part of its name. */
import { useLayoutEffect, useRef, useState } from "preact/hooks";
import { documentation, openDialog, reveal, summaryOf } from "../state/derived.ts";
import { navigate } from "../state/navigation.ts";
import { Dialog } from "./dialog.tsx";
import { shapeText } from "./format.ts";

const mostShown = 40;

export function SearchDialog() {
  const [query, setQuery] = useState("");
  const [at, setAt] = useState(0);
  const input = useRef<HTMLInputElement>(null);
  useLayoutEffect(() => {
    input.current?.focus();
  }, []);
  const words = query.toLowerCase().split(/\s+/).filter(Boolean);
  const names = [...summaryOf.value.keys()];
  const found = names.filter((name) => words.every((word) => name.toLowerCase().includes(word)));
  const shown = found.slice(0, mostShown);
  const choose = (name: string | undefined): void => {
    if (name === undefined) return;
    reveal(name);
    navigate({ tap: name, view: "pass" });
    openDialog.value = null;
  };
  return (
    <Dialog title="Search values" class="search">
      <input
        ref={input}
        type="text"
        role="combobox"
        aria-expanded="true"
        aria-controls="found"
        aria-activedescendant={shown.length > 0 ? `found-${at}` : undefined}
        aria-label="Part of a name"
        placeholder="block 3 attn, gelu, pooler …"
        value={query}
        onInput={(event) => {
          setQuery(event.currentTarget.value);
          setAt(0);
        }}
        onKeyDown={({ key }) => {
          if (key === "ArrowDown") setAt(Math.min(at + 1, shown.length - 1));
          else if (key === "ArrowUp") setAt(Math.max(at - 1, 0));
          else if (key === "Enter") choose(shown[at]);
        }}
      />
      <ul id="found" role="listbox" aria-label="Values">
        {shown.map((name, i) => (
          <li
            id={`found-${i}`}
            role="option"
            aria-selected={i === at}
            onClick={() => {
              choose(name);
            }}
          >
            <span class="name">{name}</span>
            <span class="muted">{documentation(name)?.value}</span>
            <span class="shape">{shapeText(summaryOf.value.get(name)!.shape)}</span>
          </li>
        ))}
      </ul>
      <p class="caption" role="status">
        {found.length} of {names.length} values
        {found.length > mostShown && `; the first ${mostShown} are shown`}
      </p>
    </Dialog>
  );
}
