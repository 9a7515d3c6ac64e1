/** A matrix whose rows and columns have names: a table of colours in which cells can be chosen. */
import type { Matrix } from "../../lib/trace/tap-summary.ts";
import type { ColourMap } from "./colour.ts";
import { CellMap } from "./cell-map.tsx";
import type { Cell } from "./heat-map.tsx";

interface Props {
  readonly matrix: Matrix;
  readonly rowNames: readonly string[];
  /** Null if columns have no names. */
  readonly columnNames: readonly string[] | null;
  /** What rows and columns are. */
  readonly axes?: readonly [row: string, column: string];
  readonly map: ColourMap;
  readonly range?: readonly [number, number];
  readonly title: string;
  readonly cell: Cell;
  readonly onCell: (cell: Cell) => void;
}

/** How many names have room. */
const mostRowNames = 16;
const mostColumnNames = 20;

/** Whether there is room for a name: the chosen one has it, and of the others one in every so many. */
function isNamed(index: number, count: number, most: number, chosen: number): boolean {
  const step = Math.ceil(count / most);
  return index === chosen || (index % step === 0 && (step === 1 || Math.abs(index - chosen) >= step / 2));
}

export function LabelledMap({ matrix, rowNames, columnNames, axes, cell, ...others }: Props) {
  const isNumbered = columnNames?.every((name) => name.length < 3) === true;
  return (
    <div
      class={`labelled-map ${isNumbered ? "numbered" : ""}`}
      style={{ "--rows": matrix.rows, "--columns": matrix.columns }}
    >
      {axes && (
        <p class="axes" aria-hidden="true">
          <span>{axes[1]} →</span>
          <span>{axes[0]} ↓</span>
        </p>
      )}
      {columnNames && (
        <ol class="column-names" aria-hidden="true">
          {columnNames.map((name, i) => (
            <li class={i === cell.column ? "chosen" : ""}>
              <span>{isNamed(i, columnNames.length, mostColumnNames, cell.column) && name}</span>
            </li>
          ))}
        </ol>
      )}
      <ol class="row-names" aria-hidden="true">
        {rowNames.map((name, i) => (
          <li class={i === cell.row ? "chosen" : ""}>
            {isNamed(i, rowNames.length, mostRowNames, cell.row) && name}
          </li>
        ))}
      </ol>
      <CellMap matrix={matrix} cell={cell} {...others} />
    </div>
  );
}
