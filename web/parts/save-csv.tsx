/** Saves a matrix as CSV. */
import type { Matrix } from "../../lib/trace/tap-summary.ts";
import { csvOf } from "../state/csv.ts";
import { download } from "../state/download.ts";
import { Icon } from "./icon.tsx";

interface Props {
  /** Of the file, without its ending. */
  readonly name: string;
  readonly matrix: Matrix;
}

export function SaveCsv({ name, matrix }: Props) {
  return (
    <button
      type="button"
      class="plain"
      aria-label={`Save ${name}.csv`}
      title="Save as CSV"
      onClick={() => {
        download(`${name}.csv`, "text/csv", csvOf(matrix));
      }}
    >
      <Icon name="save" />
    </button>
  );
}
