/** What can be done with the numbers of a figure: read them as a table, save them as CSV, save the map as PNG. */
import type { Matrix } from "../../lib/trace/tap-summary.ts";
import { csvOf } from "../state/csv.ts";
import { openDialog } from "../state/derived.ts";
import { download } from "../state/download.ts";
import { mostCells, shownTable } from "../state/shown-table.ts";
import { Icon, type IconName } from "./icon.tsx";
import { savePng, type DrawnMap } from "./save-png.tsx";

interface Props {
  /** Of the files, without their endings. */
  readonly name: string;
  /** What the numbers are. */
  readonly title: string;
  readonly matrix: Matrix;
  /** Default: rows and columns are counted from 0. */
  readonly rowNames?: readonly string[];
  readonly columnNames?: readonly string[];
  /** The map as it is drawn; null for numbers that are no map. */
  readonly drawn: (() => Omit<DrawnMap, "title">) | null;
}

export function MapTools({ name, title, matrix, rowNames, columnNames, drawn }: Props) {
  return (
    <span class="map-tools">
      {matrix.rows * matrix.columns <= mostCells && (
        <Tool
          icon="table"
          label={`Show ${name} as a table`}
          title="Show as table"
          run={() => {
            shownTable.value = { title, matrix, rowNames, columnNames };
            openDialog.value = "table";
          }}
        />
      )}
      <Tool
        icon="save"
        label={`Save ${name}.csv`}
        title="Save as CSV"
        run={() => {
          download(`${name}.csv`, "text/csv", csvOf(matrix));
        }}
      />
      {drawn && (
        <Tool
          icon="image"
          label={`Save ${name}.png`}
          title="Save as PNG, with its legend"
          run={() => {
            savePng(name, [{ title, ...drawn() }]);
          }}
        />
      )}
    </span>
  );
}

interface ToolProps {
  readonly icon: IconName;
  readonly label: string;
  readonly title: string;
  readonly run: () => void;
}

function Tool({ icon, label, title, run }: ToolProps) {
  return (
    <button type="button" class="plain" aria-label={label} title={title} onClick={run}>
      <Icon name={icon} />
    </button>
  );
}
