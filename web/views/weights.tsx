/** What is stored in the model, without an input. */
import { max } from "d3-array";
import { useState } from "preact/hooks";
import { rangeOf } from "../../lib/trace/tap-summary.ts";
import { CellMap } from "../parts/cell-map.tsx";
import { count, fixed, rough, shapeText, short } from "../parts/format.ts";
import { Histogram } from "../parts/histogram.tsx";
import { LabelledMap } from "../parts/labelled-map.tsx";
import { Legend } from "../parts/legend.tsx";
import { RasterCanvas } from "../parts/raster-canvas.tsx";
import { MapTools } from "../parts/map-tools.tsx";
import { drawnAs } from "../parts/drawn-map.ts";
import { SaveCanvas } from "../parts/save-png.tsx";
import { Switch } from "../parts/switch.tsx";
import { ViewHead } from "../parts/view-head.tsx";
import { adjust, navigate, route } from "../state/navigation.ts";
import { imagePass, modelInfo } from "../state/session.ts";
import { chosen, circuits, figures, found } from "../state/weights.ts";

export function WeightsView() {
  const info = modelInfo.value;
  return (
    <section class="view weights-view" aria-labelledby="view-title">
      <ViewHead
        copied="weights"
        title="Weights"
        about={
          <>
            What training has left in the model’s file, without an input. The first two figures are those of
            the vision transformer’s paper (
            <a href="https://arxiv.org/abs/2010.11929" target="_blank" rel="noreferrer">
              Dosovitskiy et al. 2021
            </a>
            , figure 7).
          </>
        }
      >
        {info && (
          <p class="muted">
            {count(info.parameters)} parameters · exp(logit_scale) {fixed(info.scale, 2)}
          </p>
        )}
      </ViewHead>
      {found.value === null ? (
        <p class="muted">Computed once the network is loaded.</p>
      ) : (
        <div class="weights-columns">
          <Filters />
          <Positions />
          <Circuits />
          <Tensor />
        </div>
      )}
    </section>
  );
}

function Filters() {
  const { filters, largest } = found.value!;
  return (
    <figure class="weights-part">
      <figcaption>
        <h2>Patch filters</h2>
        <SaveCanvas name="patch-filters" selector=".weights-part .sheet" />
      </figcaption>
      <RasterCanvas
        image={filters}
        label="The filters of the patch embedding with the largest norms"
        class="sheet"
      />
      <p class="caption">
        <code>visual.conv1.weight</code>, largest norm first. Gray is 0;{" "}
        {largest === null
          ? "black and white are the largest weight of each filter."
          : `black and white are ±${rough(largest)}.`}
      </p>
      <Switch
        label="Absolute scale"
        title="One scale for all filters"
        isOn={route.value.absolute}
        onChange={(absolute) => {
          navigate({ absolute });
        }}
      />
    </figure>
  );
}

function Positions() {
  const { positions } = found.value!;
  const size = Math.sqrt(positions.length);
  const [rows, columns] = imagePass.value?.value.patches ?? [Math.sqrt(size), Math.sqrt(size)];
  const [own, setOwn] = useState(false);
  const at = Math.min(Math.max(route.value.token - 1, 0), size - 1);
  const values = positions.subarray(at * size, (at + 1) * size);
  const range = own ? rangeOf(values) : ([-1, 1] as const);
  const cell = { row: Math.floor(at / columns), column: at % columns };
  return (
    <figure class="weights-part">
      <figcaption>
        <h2>Position embeddings</h2>
        <MapTools
          name="position-cosines"
          title={`Cosine of the position in row ${cell.row + 1}, column ${cell.column + 1} with all positions`}
          matrix={{ rows: size, columns: size, values: positions }}
          drawn={() => drawnAs({ rows, columns, values }, "diverging", range, "cosine")}
        />
      </figcaption>
      <CellMap
        matrix={{ rows, columns, values }}
        map="diverging"
        range={range}
        isSquare
        title={`Cosine of the position in row ${cell.row + 1}, column ${cell.column + 1} with all positions`}
        cell={cell}
        onCell={({ row, column }) => {
          adjust({ token: row * columns + column + 1 });
        }}
      />
      <Legend map="diverging" range={range} unit="cosine" />
      <p class="caption">
        Cosine of the embedding of row {cell.row + 1}, column {cell.column + 1} with all others. Click another
        one.
      </p>
      <Switch
        label="Absolute scale"
        title="From −1 to 1, not from the smallest to the largest cosine"
        isOn={!own}
        onChange={(isOn) => {
          setOwn(!isOn);
        }}
      />
    </figure>
  );
}

function Circuits() {
  const all = circuits.value;
  if (all === null) return <div class="weights-part hatched" />;
  const layers = all.length;
  const heads = all[0]!.queryKey.length;
  const { layer, head } = route.value;
  const cell = { row: Math.min(layer, layers - 1), column: Math.min(head ?? 0, heads - 1) };
  const names = (length: number): string[] => Array.from({ length }, (_, i) => `${i}`);
  return (
    <figure class="weights-part">
      <figcaption>
        <h2>Circuits of the heads</h2>
      </figcaption>
      <div class="circuits">
        {(
          [
            ["queryKey", "QK", "how strongly tokens are compared"],
            ["valueOutput", "OV", "how strongly what is read is written"],
          ] as const
        ).map(([kind, name, meaning]) => {
          const matrix = { rows: layers, columns: heads, values: all.flatMap((one) => [...one[kind]]) };
          return (
            <div>
              <div class="titled">
                <h3>{name}</h3>
                <MapTools
                  name={`circuits-${name.toLowerCase()}`}
                  title={`Norms of the ${name} circuits: layer (row), head (column)`}
                  matrix={matrix}
                  drawn={() => drawnAs(matrix, "sequential", rangeOf(matrix.values), "norm")}
                />
              </div>
              <LabelledMap
                matrix={matrix}
                rowNames={names(layers)}
                columnNames={names(heads)}
                axes={["layer", "head"]}
                map="sequential"
                title={`Norms of the ${name} circuits: layer (row), head (column)`}
                cell={cell}
                onCell={({ row, column }) => {
                  adjust({ layer: row, head: column });
                }}
              />
              <Legend map="sequential" range={rangeOf(matrix.values)} unit="norm" />
              <p class="readout" aria-live="polite">
                Layer {cell.row}, head {cell.column}: <b>{short(all[cell.row]![kind][cell.column]!)}</b>
              </p>
              <p class="caption">{meaning}</p>
            </div>
          );
        })}
      </div>
      <p class="caption">
        ‖W_Q W_Kᵀ‖ / √d and ‖W_V W_O‖ (
        <a href="https://transformer-circuits.pub/2021/framework/index.html" target="_blank" rel="noreferrer">
          Elhage et al. 2021
        </a>
        ). What a head with a small OV circuit attends to has little effect.
      </p>
    </figure>
  );
}

function Tensor() {
  const { tensors } = found.value!;
  const name = chosen.value;
  const info = tensors.find((one) => one.name === name);
  const shown = figures.value;
  const counts = shown?.histogram ? [...shown.histogram.counts] : null;
  return (
    <figure class="weights-part">
      <figcaption>
        <h2>Any tensor</h2>
      </figcaption>
      <select
        aria-label="Tensor"
        value={name ?? ""}
        onChange={(event) => {
          navigate({ weight: event.currentTarget.value });
        }}
      >
        {tensors.map((one) => (
          <option value={one.name}>{one.name}</option>
        ))}
      </select>
      {info && (
        <p class="facts">
          <span>{shapeText(info.shape)}</span>
          <span class="muted">{info.dtype}</span>
        </p>
      )}
      {shown !== null && counts !== null && (max(counts) ?? 0) > 0 && (
        <>
          <Histogram counts={counts} min={shown.histogram!.min} max={shown.histogram!.max} />
          <dl class="statistics">
            {(["mean", "std", "min", "max"] as const).map((key) => (
              <div>
                <dt>{key}</dt>
                <dd>{shown.statistics[key] === null ? "–" : rough(shown.statistics[key])}</dd>
              </div>
            ))}
          </dl>
        </>
      )}
    </figure>
  );
}
