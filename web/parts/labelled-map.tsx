/** A matrix whose rows and columns have names: a table of colours in which cells can be chosen. */
import type { Matrix } from "../../lib/trace/tap-summary.ts";
import type { ColourMap } from "./colour.ts";
import { CellMap } from "./cell-map.tsx";
import type { Cell } from "./heat-map.tsx";

interface Props {
  readonly matrix: Matrix;
  readonly rowNames: readonly string[];
  readonly columnNames: readonly string[];
  readonly map: ColourMap;
  readonly range?: readonly [number, number];
  readonly title: string;
  readonly cell: Cell;
  readonly onCell: (cell: Cell) => void;
}

export function LabelledMap({ matrix, rowNames, columnNames, cell, ...others }: Props) {
  return (
    <div class="labelled-map" style={{ "--rows": matrix.rows, "--columns": matrix.columns }}>
      <ol class="column-names" aria-hidden="true">
        {columnNames.map((name, i) => (
          <li class={i === cell.column ? "chosen" : ""}>
            <span>{name}</span>
          </li>
        ))}
      </ol>
      <ol class="row-names" aria-hidden="true">
        {rowNames.map((name, i) => (
          <li class={i === cell.row ? "chosen" : ""}>{name}</li>
        ))}
      </ol>
      <CellMap matrix={matrix} cell={cell} {...others} />
    </div>
  );
}
