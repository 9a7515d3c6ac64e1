/** A matrix as colours, with a cursor that shows each number. */
import { useState } from "preact/hooks";
import { Raster } from "../../lib/draw/raster.ts";
import { rangeOf, type Matrix } from "../../lib/trace/tap-summary.ts";
import { colourOf, drawnRange, type ColourMap } from "./colour.ts";
import { short } from "./format.ts";
import { RasterCanvas } from "./raster-canvas.tsx";

export interface Cell {
  readonly row: number;
  readonly column: number;
}

interface Props {
  readonly matrix: Matrix;
  readonly map: ColourMap;
  /** Default: the matrix's own. */
  readonly range?: readonly [number, number];
  /** What it shows, without the numbers. */
  readonly title: string;
  readonly nameOf: (cell: Cell) => string;
  readonly class?: string;
}

export function paint(
  { rows, columns, values }: Matrix,
  map: ColourMap,
  range?: readonly [number, number],
): Raster {
  const [low, high] = drawnRange(range ?? rangeOf(values), map);
  return new Raster(columns, rows).paint((x, y) =>
    colourOf(high > low ? (values[y * columns + x]! - low) / (high - low) : 0.5, map),
  );
}

/** The cell under the pointer. */
export function cellAt(event: PointerEvent, { rows, columns }: Matrix): Cell {
  const box = (event.currentTarget as Element).getBoundingClientRect();
  const clamp = (value: number, count: number): number =>
    Math.min(Math.max(Math.floor(value * count), 0), count - 1);
  return {
    row: clamp((event.clientY - box.top) / box.height, rows),
    column: clamp((event.clientX - box.left) / box.width, columns),
  };
}

const steps: Readonly<Record<string, readonly [down: number, right: number]>> = {
  ArrowUp: [-1, 0],
  ArrowDown: [1, 0],
  ArrowLeft: [0, -1],
  ArrowRight: [0, 1],
};

/** The cell that an arrow key leads to; null for other keys. */
export function stepCell(key: string, { row, column }: Cell, { rows, columns }: Matrix): Cell | null {
  const step = steps[key];
  if (step === undefined) return null;
  return {
    row: Math.min(Math.max(row + step[0], 0), rows - 1),
    column: Math.min(Math.max(column + step[1], 0), columns - 1),
  };
}

export function HeatMap({ matrix, map, range, title, nameOf, class: name = "" }: Props) {
  const [cell, setCell] = useState<Cell | null>(null);
  const shown = cell !== null && cell.row < matrix.rows && cell.column < matrix.columns ? cell : null;
  const valueAt = ({ row, column }: Cell): number => matrix.values[row * matrix.columns + column]!;
  return (
    <figure class={`heat-map ${name}`}>
      <div
        class="cells"
        role="img"
        aria-label={`${title}: ${describe(matrix)}`}
        tabIndex={0}
        onPointerMove={(event) => {
          setCell(cellAt(event, matrix));
        }}
        onPointerLeave={() => {
          setCell(null);
        }}
        onKeyDown={(event) => {
          const next = stepCell(event.key, shown ?? { row: 0, column: 0 }, matrix);
          if (next === null) return;
          event.preventDefault();
          event.stopPropagation();
          setCell(next);
        }}
        onBlur={() => {
          setCell(null);
        }}
      >
        <RasterCanvas image={paint(matrix, map, range)} label="" />
        {shown && (
          <span
            class="cursor"
            style={{
              left: `${(100 * shown.column) / matrix.columns}%`,
              top: `${(100 * shown.row) / matrix.rows}%`,
              width: `${100 / matrix.columns}%`,
              height: `${100 / matrix.rows}%`,
            }}
          />
        )}
      </div>
      <figcaption class="readout" aria-live="polite">
        {shown ? (
          <>
            {nameOf(shown)} <b>{short(valueAt(shown))}</b>
          </>
        ) : (
          <span class="muted">Point at a cell, or use the arrow keys.</span>
        )}
      </figcaption>
    </figure>
  );
}

/** One sentence: size, range, and where the maximum is. */
function describe({ rows, columns, values }: Matrix): string {
  let top = 0;
  for (let i = 1; i < values.length; i++) if (values[i]! > values[top]!) top = i;
  const [min, max] = rangeOf(values);
  return (
    `${rows} rows and ${columns} columns, from ${short(min)} to ${short(max)}; ` +
    `the largest value is in row ${Math.floor(top / columns)}, column ${top % columns}`
  );
}
