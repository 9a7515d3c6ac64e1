/** What is compared: a choice for each side. */
import { useId } from "preact/hooks";
import { navigate, route } from "../state/navigation.ts";
import { openingModel, otherModel } from "../state/other-model.ts";
import { pinnedPair, sideTitle } from "../state/sides.ts";
import { droppedTraces } from "../state/traces.ts";
import { Icon } from "./icon.tsx";
import { OpenFiles } from "./open-files.tsx";

export function SideSelect() {
  const { sideA, sideB } = route.value;
  return (
    <div class="side-select">
      <Side
        slot="A"
        value={sideA}
        onChange={(side) => {
          navigate({ sideA: side });
        }}
      />
      <button
        type="button"
        class="plain"
        aria-label="Exchange A and B"
        title="Exchange A and B"
        onClick={() => {
          navigate({ sideA: sideB, sideB: sideA });
        }}
      >
        <Icon name="exchange" />
      </button>
      <Side
        slot="B"
        value={sideB}
        onChange={(side) => {
          navigate({ sideB: side });
        }}
      />
      <div class="actions">
        <OpenFiles text="Open a trace …" name="trace" accept=".safetensors" />
        <OpenFiles text="Open a model directory …" name="model" accept="folder" />
      </div>
    </div>
  );
}

interface SideProps {
  readonly slot: "A" | "B";
  readonly value: string;
  readonly onChange: (side: string) => void;
}

function Side({ slot, value, onChange }: SideProps) {
  const id = useId();
  const files = droppedTraces.value.map(({ name }) => `file:${name}`);
  const options = [
    ["current", "Current inputs"],
    ["pinned", "Inputs pinned as B"],
    ["model", otherModel.value === null ? "Another model" : `Another model: ${otherModel.value.info.name}`],
    ...[...new Set(value.startsWith("file:") ? [...files, value] : files)].map(
      (file) => [file, `File: ${file.slice("file:".length)}`] as const,
    ),
  ] as const;
  const problem = problemOf(value);
  return (
    <div class="side">
      <label for={id}>
        <b>{slot}</b>
      </label>
      <select
        id={id}
        value={value}
        onChange={(event) => {
          onChange(event.currentTarget.value);
        }}
      >
        {options.map(([option, text]) => (
          <option value={option}>{text}</option>
        ))}
      </select>
      <p class={problem === null ? "caption" : "caption side-problem"}>{problem ?? sideTitle(value)}</p>
    </div>
  );
}

/** What is missing for a side; null if nothing is. */
function problemOf(side: string): string | null {
  if (side === "pinned" && pinnedPair.value === null)
    return "Nothing is pinned yet. Pin an image (b) or a text (Shift+B) in the tray.";
  if (side === "model" && openingModel.value !== null) return `Opening ${openingModel.value.name} …`;
  if (side === "model" && otherModel.value === null)
    return "No other model is open. Drop its model directory here, or choose the folder.";
  if (side.startsWith("file:") && !droppedTraces.value.some(({ name }) => `file:${name}` === side))
    return "This file is not open here. Drop it on the page.";
  return null;
}
