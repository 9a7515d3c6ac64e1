/** A tap of two sides as maps with one cursor, and their difference. */
import { useMemo, useState } from "preact/hooks";
import { rangeOf, type Matrix } from "../../lib/trace/tap-summary.ts";
import { adjust, route } from "../state/navigation.ts";
import { CellMap } from "./cell-map.tsx";
import { mapFor } from "./colour.ts";
import { short } from "./format.ts";
import { paint, type Cell } from "./heat-map.tsx";
import { Legend } from "./legend.tsx";
import { SavePng } from "./save-png.tsx";
import { SaveTable } from "./save-table.tsx";
import { Switch } from "./switch.tsx";

interface Props {
  /** The tap's name. */
  readonly name: string;
  readonly a: Matrix;
  /** Of the shape of `a`. */
  readonly b: Matrix;
  readonly titles: readonly [a: string, b: string];
  /** What the sides are called. Default: A and B. */
  readonly letters?: readonly [a: string, b: string];
  readonly unit: string;
  readonly nameOf: (cell: Cell) => string;
}

/** Rows of the table of the largest differences. */
const mostRows = 12;

export function PairMaps({ name, a, b, titles, letters = ["A", "B"], unit, nameOf }: Props) {
  const [first, second] = letters;
  const difference = useMemo<Matrix>(
    () => ({ ...a, values: Float32Array.from(a.values, (value, i) => value - b.values[i]!) }),
    [a, b],
  );
  const largest = useMemo(() => largestCells(difference), [difference]);
  const [chosen, setCell] = useState<{ readonly of: string; readonly cell: Cell } | null>(null);
  const cell = chosen?.of === name ? chosen.cell : cellOf(largest[0] ?? 0, a);
  const at = cell.row * a.columns + cell.column;
  const { absolute } = route.value;
  const ranges = [rangeOf(a.values), rangeOf(b.values)] as const;
  const shared = [Math.min(ranges[0][0], ranges[1][0]), Math.max(ranges[0][1], ranges[1][1])] as const;
  const drawn = [
    { title: `${first}: ${titles[0]}`, matrix: a, range: absolute ? shared : ranges[0] },
    { title: `${second}: ${titles[1]}`, matrix: b, range: absolute ? shared : ranges[1] },
    { title: `${first} − ${second}`, matrix: difference, range: rangeOf(difference.values) },
  ].map((one, i) => ({ ...one, map: i === 2 ? "diverging" : mapFor(...shared) }));
  return (
    <div class="pair-maps">
      <div class="pair-row">
        {drawn.map(({ title, matrix, range, map }) => (
          <figure>
            <figcaption title={title}>{title}</figcaption>
            <CellMap
              matrix={matrix}
              map={map}
              range={range}
              title={`${title}, ${name}`}
              cell={cell}
              hovers
              onCell={(next) => {
                setCell({ of: name, cell: next });
              }}
            />
            <Legend map={map} range={range} unit={unit} />
          </figure>
        ))}
      </div>
      <p class="readout" aria-live="polite">
        {nameOf(cell)}: {first} <b>{short(a.values[at]!)}</b> · {second} <b>{short(b.values[at]!)}</b> ·{" "}
        {first} − {second} <b>{short(difference.values[at]!)}</b>
      </p>
      <div class="actions">
        <Switch
          label="Absolute scale"
          title="One range of colours for both"
          isOn={absolute}
          onChange={(isOn) => {
            adjust({ absolute: isOn });
          }}
        />
        <SavePng
          name={name}
          maps={() =>
            drawn.map(({ title, matrix, map, range }) => ({
              title: `${title} · ${name}`,
              image: paint(matrix, map, range),
              map,
              range,
              unit,
            }))
          }
        />
        <SaveTable
          name={name}
          head={["row", "column", first.toLowerCase(), second.toLowerCase()]}
          rows={() =>
            Array.from({ length: a.values.length }, (_, i) => [
              Math.floor(i / a.columns),
              i % a.columns,
              a.values[i]!,
              b.values[i]!,
            ])
          }
        />
      </div>
      <div class="table-box" tabIndex={0} role="region" aria-label="Largest differences">
        <table class="figures">
          <caption>Largest differences</caption>
          <thead>
            <tr>
              <th scope="col">value</th>
              <th scope="col">{first}</th>
              <th scope="col">{second}</th>
              <th scope="col">difference</th>
            </tr>
          </thead>
          <tbody>
            {largest.map((i) => (
              <tr>
                <th scope="row">{nameOf(cellOf(i, a))}</th>
                <td title={`${a.values[i]!}`}>{short(a.values[i]!)}</td>
                <td title={`${b.values[i]!}`}>{short(b.values[i]!)}</td>
                <td>{short(difference.values[i]!)}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
    </div>
  );
}

function cellOf(i: number, { columns }: Matrix): Cell {
  return { row: Math.floor(i / columns), column: i % columns };
}

/** Flat indices of the largest absolute values, largest first. */
function largestCells({ values }: Matrix): number[] {
  const kept: number[] = [];
  const size = (i: number): number => Math.abs(values[i]!);
  for (let i = 0; i < values.length; i++) {
    if (kept.length === mostRows && !(size(i) > size(kept.at(-1)!))) continue;
    const place = kept.findIndex((other) => size(i) > size(other));
    kept.splice(place === -1 ? kept.length : place, 0, i);
    kept.length = Math.min(kept.length, mostRows);
  }
  return kept;
}
