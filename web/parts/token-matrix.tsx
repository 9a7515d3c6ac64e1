/** One head as a matrix: a row per query, a column per key. The row or column on the image is marked. */
import { useMemo } from "preact/hooks";
import type { Attention } from "../../lib/study/attention.ts";
import { rangeOf, type Matrix } from "../../lib/trace/tap-summary.ts";
import { route } from "../state/navigation.ts";
import { cellAt, paint, stepCell } from "./heat-map.tsx";
import { drawnAs } from "./drawn-map.ts";
import { Legend } from "./legend.tsx";
import { MapTools } from "./map-tools.tsx";
import { RasterCanvas } from "./raster-canvas.tsx";

interface Props {
  /** One head, or the mean over heads. */
  readonly attention: Attention | null;
  /** Of the files that the numbers are saved in. */
  readonly name: string;
  readonly token: number;
  readonly onToken: (token: number) => void;
}

export function TokenMatrix({ attention, name, token, onToken }: Props) {
  const matrix = useMemo(() => (attention === null ? null : matrixOf(attention)), [attention]);
  if (matrix === null) return <div class="token-matrix hatched" />;
  const { mode } = route.value;
  const part = `${(100 * token) / matrix.rows}%`;
  const size = `${100 / matrix.rows}%`;
  return (
    <figure class="token-matrix">
      <figcaption>
        Query (row) × key (column){" "}
        <MapTools
          name={name}
          title="Attention: query (row), key (column)"
          matrix={matrix}
          drawn={() => drawnAs(matrix, "sequential", rangeOf(matrix.values), "weight")}
        />
      </figcaption>
      <div
        class="cells"
        role="img"
        tabIndex={0}
        aria-label={`Attention matrix of ${matrix.rows} tokens; arrow keys choose the token`}
        onPointerDown={(event) => {
          const { row, column } = cellAt(event, matrix);
          onToken(mode === "to" ? column : row);
        }}
        onKeyDown={(event) => {
          const next = stepCell(event.key, { row: token, column: token }, matrix);
          if (next === null) return;
          event.preventDefault();
          event.stopPropagation();
          onToken(next.row === token ? next.column : next.row);
        }}
      >
        <RasterCanvas image={paint(matrix, "sequential")} label="" />
        {mode === "from" && <span class="band" style={{ left: 0, right: 0, top: part, height: size }} />}
        {mode === "to" && <span class="band" style={{ top: 0, bottom: 0, left: part, width: size }} />}
      </div>
      <Legend map="sequential" range={rangeOf(matrix.values)} unit="weight" />
    </figure>
  );
}

function matrixOf({ values, length }: Attention): Matrix {
  return { rows: length, columns: length, values };
}
