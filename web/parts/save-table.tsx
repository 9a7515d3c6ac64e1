/** Saves a table as CSV. */
import { csvTable } from "../state/csv.ts";
import { download } from "../state/download.ts";
import { Icon } from "./icon.tsx";

interface Props {
  /** Of the file, without its ending. */
  readonly name: string;
  readonly head: readonly string[];
  readonly rows: () => readonly (readonly (string | number | null)[])[];
}

export function SaveTable({ name, head, rows }: Props) {
  return (
    <button
      type="button"
      onClick={() => {
        download(`${name}.csv`, "text/csv", csvTable(head, rows()));
      }}
    >
      <Icon name="save" /> CSV
    </button>
  );
}
