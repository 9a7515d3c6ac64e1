/** A matrix as colours whose cells can be chosen. The chosen cell, row or column is marked. */
import { useMemo } from "preact/hooks";
import type { Matrix } from "../../lib/trace/tap-summary.ts";
import type { ColourMap } from "./colour.ts";
import { cellAt, paint, stepCell, type Cell } from "./heat-map.tsx";
import { RasterCanvas } from "./raster-canvas.tsx";

interface Props {
  readonly matrix: Matrix;
  readonly map: ColourMap;
  /** Default: the matrix's own. */
  readonly range?: readonly [number, number];
  readonly title: string;
  readonly cell: Cell;
  /** Called while the pointer is pressed, and for arrow keys. */
  readonly onCell: (cell: Cell) => void;
  /** The pointer chooses without being pressed. */
  readonly hovers?: boolean;
  /** The matrix is as high as it is wide. Default: it fills the height that its style gives. */
  readonly isSquare?: boolean;
}

export function CellMap({
  matrix,
  map,
  range,
  title,
  cell,
  onCell,
  hovers = false,
  isSquare = false,
}: Props) {
  const { rows, columns } = matrix;
  const image = useMemo(() => paint(matrix, map, range), [matrix, map, range?.[0], range?.[1]]);
  return (
    <div
      class={`cells cell-map ${isSquare ? "square" : ""}`}
      role="img"
      tabIndex={0}
      aria-label={`${title}: ${rows} rows and ${columns} columns; arrow keys choose a cell`}
      onPointerDown={(event) => {
        event.currentTarget.setPointerCapture(event.pointerId);
        onCell(cellAt(event, matrix));
      }}
      onPointerMove={(event) => {
        if (hovers || event.buttons > 0) onCell(cellAt(event, matrix));
      }}
      onKeyDown={(event) => {
        const next = stepCell(event.key, cell, matrix);
        if (next === null) return;
        event.preventDefault();
        event.stopPropagation();
        onCell(next);
      }}
    >
      <RasterCanvas image={image} label="" />
      <span
        class="cursor"
        style={{
          left: `${(100 * cell.column) / columns}%`,
          top: `${(100 * cell.row) / rows}%`,
          width: `${100 / columns}%`,
          height: `${100 / rows}%`,
        }}
      />
    </div>
  );
}
