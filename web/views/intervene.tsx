/** Interventions: what the answer needs. */
import { useMemo } from "preact/hooks";
import { rangeOf, type Matrix } from "../../lib/trace/tap-summary.ts";
import { fixed, percent } from "../parts/format.ts";
import { LabelledMap } from "../parts/labelled-map.tsx";
import { LayerChart } from "../parts/layer-chart.tsx";
import { Legend } from "../parts/legend.tsx";
import { LinesField } from "../parts/lines-field.tsx";
import { LongWork } from "../parts/long-work.tsx";
import { PatchStage } from "../parts/patch-stage.tsx";
import { MapTools } from "../parts/map-tools.tsx";
import { drawnAs } from "../parts/drawn-map.ts";
import { Segmented } from "../parts/segmented.tsx";
import { ViewHead } from "../parts/view-head.tsx";
import { causal, causalWork, donor, effect, label, place, sweep, sweepWork } from "../state/intervene.ts";
import { labels, softmax } from "../state/matching.ts";
import { adjust, navigate, route } from "../state/navigation.ts";
import { imagePass, isCurrent } from "../state/session.ts";
import { currentImage, trayImages } from "../state/tray.ts";

export function InterveneView() {
  return (
    <section class={`view intervene-view ${isCurrent.value ? "" : "stale"}`} aria-labelledby="view-title">
      <ViewHead
        copied="intervene"
        title="Intervene"
        about={
          <>
            A value inside the pass is replaced, and the answer is measured again. This shows what the answer
            needs, unlike attention. A small change does not show that a part does nothing: others may take
            its place (
            <a href="https://arxiv.org/abs/1905.10650" target="_blank" rel="noreferrer">
              Michel et al. 2019
            </a>
            ,{" "}
            <a href="https://arxiv.org/abs/2309.16042" target="_blank" rel="noreferrer">
              Zhang, Nanda 2024
            </a>
            ).
          </>
        }
      />
      {imagePass.value && (
        <div class="intervene-columns">
          <div>
            <Sweep />
            <Trace />
          </div>
          <div>
            <One />
            <Question />
          </div>
        </div>
      )}
    </section>
  );
}

function names(length: number): string[] {
  return Array.from({ length }, (_, i) => `${i}`);
}

function Sweep() {
  const found = sweep.value;
  const { layer, head, layers, heads } = place.value;
  const matrix = useMemo<Matrix | null>(
    () => found && { rows: layers, columns: heads, values: found.changes.flatMap((row) => [...row]) },
    [found],
  );
  return (
    <figure class="intervene-part">
      <figcaption>
        <h2>
          Without each head <small>change of the score of “{labels.value[label.value]}”</small>
        </h2>
        {matrix && (
          <MapTools
            name="head-sweep"
            title={`Change of the score of “${labels.value[label.value]}” without each head: layer (row), head (column)`}
            matrix={matrix}
            drawn={() =>
              drawnAs(matrix, "diverging", rangeOf(matrix.values), "change of the score, in logits")
            }
          />
        )}
      </figcaption>
      {found === null || matrix === null ? (
        <LongWork work={sweepWork} />
      ) : (
        <>
          <LabelledMap
            matrix={matrix}
            rowNames={names(layers)}
            columnNames={names(heads)}
            axes={["layer", "head"]}
            map="diverging"
            title="Change of the score without each head: layer (row), head (column)"
            cell={{ row: layer, column: head }}
            onCell={({ row, column }) => {
              adjust({ layer: row, head: column, part: "head" });
            }}
          />
          <Legend map="diverging" range={rangeOf(matrix.values)} unit="change of the score, in logits" />
          <p class="readout" aria-live="polite">
            Without head {head} of layer {layer}: {fixed(found.score, 2)} →{" "}
            <b>{fixed(found.score + found.changes[layer]![head]!, 2)}</b>
          </p>
        </>
      )}
      <p class="caption">
        The score is the label’s logit minus the mean of the others’. Blue: the score falls without the head.
      </p>
    </figure>
  );
}

const parts = [
  ["head", "Head"],
  ["attention", "Attention"],
  ["mlp", "MLP"],
  ["token", "Token"],
] as const;

const replacements = [
  ["zero", "Zero"],
  ["mean", "Mean"],
  ["other", "Other image"],
] as const;

function One() {
  const { part, by } = route.value;
  const found = effect.value;
  return (
    <figure class="intervene-part">
      <figcaption>
        <h2>{nameOfPart()}</h2>
      </figcaption>
      <p class="choices">
        <Segmented
          label="What is replaced"
          options={parts}
          value={part}
          onChange={(value) => {
            navigate({ part: value });
          }}
        />
        <Segmented
          label="By what"
          options={replacements}
          value={by}
          onChange={(value) => {
            navigate({ by: value });
          }}
        />
        <Place />
      </p>
      {part === "token" && <TokenChoice />}
      {found === null ? (
        <div class="hatched long-work" />
      ) : (
        <>
          <Answers before={found.before} after={found.after} />
          <h3>
            What changes after it <small>relative L2 of the stream after each block</small>
          </h3>
          <LayerChart
            lines={[{ name: "relative L2", values: found.states.slice(1), kind: "chosen" }]}
            layers={found.states.length - 1}
            layer={place.value.layer}
            onLayer={(layer) => {
              adjust({ layer });
            }}
            domain={[0, Math.max(...found.states, 0.01)]}
            unit="relative L2"
            title="Change of the residual stream after each block"
          />
        </>
      )}
    </figure>
  );
}

function nameOfPart(): string {
  const { layer, head, token } = place.value;
  switch (route.value.part) {
    case "head":
      return `Head ${head} of layer ${layer}`;
    case "attention":
      return `Attention of layer ${layer}`;
    case "mlp":
      return `MLP of layer ${layer}`;
    case "token":
      return `${token === 0 ? "Class token" : `Patch ${token}`} after layer ${layer}`;
  }
}

function Place() {
  const { layer, layers, head, heads } = place.value;
  return (
    <>
      <Choice
        label="layer"
        count={layers}
        value={layer}
        onChange={(value) => {
          navigate({ layer: value });
        }}
      />
      {route.value.part === "head" && (
        <Choice
          label="head"
          count={heads}
          value={head}
          onChange={(value) => {
            navigate({ head: value });
          }}
        />
      )}
      {route.value.by === "other" && <DonorChoice />}
    </>
  );
}

interface ChoiceProps {
  readonly label: string;
  readonly count: number;
  readonly value: number;
  readonly onChange: (value: number) => void;
}

function Choice({ label: name, count, value, onChange }: ChoiceProps) {
  return (
    <label>
      {name}{" "}
      <select
        value={value}
        onChange={(event) => {
          onChange(Number(event.currentTarget.value));
        }}
      >
        {names(count).map((i) => (
          <option value={i}>{i}</option>
        ))}
      </select>
    </label>
  );
}

function DonorChoice() {
  const others = trayImages.value.filter(({ key }) => key !== currentImage.value?.key);
  return (
    <label>
      from{" "}
      <select
        value={donor.value?.key ?? ""}
        onChange={(event) => {
          navigate({ donor: event.currentTarget.value });
        }}
      >
        {others.map(({ key, name }) => (
          <option value={key}>{name}</option>
        ))}
      </select>
    </label>
  );
}

function TokenChoice() {
  const pass = imagePass.value!.value;
  const { token } = place.value;
  return (
    <div class="token-choice">
      <PatchStage
        image={pass.input}
        patches={pass.patches}
        weights={null}
        range={[0, 1]}
        opacity={0}
        title="The patch that is replaced"
        token={token}
        restToken={token}
        onToken={(next) => {
          adjust({ token: next });
        }}
      >
        <button
          type="button"
          class="class-token"
          aria-pressed={token === 0}
          onClick={() => {
            navigate({ token: 0 });
          }}
        >
          class token
        </button>
      </PatchStage>
    </div>
  );
}

/** The probabilities of all labels, without and with the replacement. */
function Answers({
  before,
  after,
}: {
  readonly before: readonly number[];
  readonly after: readonly number[];
}) {
  const [was, is] = [softmax(before), softmax(after)];
  const order = before.map((_, i) => i).sort((a, b) => is[b]! - is[a]!);
  return (
    <table class="effect">
      <thead>
        <tr>
          <th scope="col">label</th>
          <th scope="col">unchanged</th>
          <th scope="col">replaced</th>
          <th scope="col">logit</th>
        </tr>
      </thead>
      <tbody>
        {order.map((i) => (
          <tr class={i === label.value ? "chosen" : ""}>
            <th scope="row">
              <button
                type="button"
                class="plain"
                aria-pressed={i === label.value}
                onClick={() => {
                  navigate({ label: labels.value[i]! });
                }}
              >
                {labels.value[i]}
              </button>
            </th>
            <td>{percent(was[i]!)}</td>
            <td>
              <i style={{ width: `${60 * is[i]!}px` }} aria-hidden="true" />
              {percent(is[i]!)}
            </td>
            <td class="muted">
              {after[i]! >= before[i]! ? "+" : ""}
              {fixed(after[i]! - before[i]!, 2)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

function Trace() {
  const found = causal.value;
  const { layers, layer, token } = place.value;
  const from = donor.value;
  if (from === null) return null;
  const matrix = found && {
    rows: found.recovered.length,
    columns: found.recovered[0]!.length,
    values: found.recovered.flatMap((row) => [...row]),
  };
  return (
    <figure class="intervene-part">
      <figcaption>
        <h2>
          Causal trace <small>in the pass of “{from.name}”</small>
        </h2>
        {matrix && (
          <MapTools
            name="causal-trace"
            title={`Share of the answer brought back in the pass of “${from.name}”: state (row), token (column)`}
            matrix={matrix}
            drawn={() => drawnAs(matrix, "diverging", [-1, 1], "share of the answer brought back")}
          />
        )}
      </figcaption>
      <p class="choices">
        <DonorChoice />
      </p>
      {found === null || matrix === null ? (
        <LongWork work={causalWork} />
      ) : (
        <>
          <LabelledMap
            matrix={matrix}
            rowNames={["in", ...names(layers)]}
            columnNames={null}
            map="diverging"
            range={[-1, 1]}
            title="Share of the answer that one token of one state brings back: state (row), token (column)"
            cell={{ row: layer + 1, column: token }}
            onCell={({ row, column }) => {
              adjust({ layer: Math.max(row - 1, 0), token: column });
            }}
          />
          <Legend map="diverging" range={[-1, 1]} unit="share of the answer brought back" />
          <p class="readout" aria-live="polite">
            {token === 0 ? "The class token" : `Patch ${token}`} after layer {layer} brings back{" "}
            <b>{percent(found.recovered[layer + 1]![token]!)}</b> of {fixed(found.clean - found.corrupted, 2)}{" "}
            logits.
          </p>
        </>
      )}
      <p class="caption">
        One token of this image’s pass is put into the other image’s pass. Rows: the input of block 0 (in),
        then the output of each block; columns: tokens, the class token first (
        <a href="https://arxiv.org/abs/2202.05262" target="_blank" rel="noreferrer">
          Meng et al. 2022
        </a>
        ).
      </p>
    </figure>
  );
}

function Question() {
  return (
    <form
      class="intervene-part"
      onSubmit={(event) => {
        event.preventDefault();
      }}
    >
      <LinesField
        label="Labels"
        hint="one a line"
        rows={6}
        lines={labels.value}
        onChange={(lines) => {
          adjust({ labels: lines });
        }}
      />
    </form>
  );
}
