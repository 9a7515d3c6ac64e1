/** The residual stream: the norm of each token in each state, what blocks add, and which tokens are alike. */
import { useMemo } from "preact/hooks";
import { rangeOf, type Matrix } from "../../lib/trace/tap-summary.ts";
import { BlockSteps } from "../parts/block-steps.tsx";
import { CellMap } from "../parts/cell-map.tsx";
import { fixed, short } from "../parts/format.ts";
import { LabelledMap } from "../parts/labelled-map.tsx";
import { Legend } from "../parts/legend.tsx";
import { PatchStage } from "../parts/patch-stage.tsx";
import { MapTools } from "../parts/map-tools.tsx";
import { drawnAs, overImage } from "../parts/drawn-map.ts";
import { Segmented } from "../parts/segmented.tsx";
import { ViewHead } from "../parts/view-head.tsx";
import { adjust, navigate, route } from "../state/navigation.ts";
import { imagePass, isCurrent, textPass } from "../state/session.ts";
import { selection, similarities, summary, turns } from "../state/stream.ts";

export function StreamView() {
  const { tower } = route.value;
  return (
    <section class={`view stream-view ${isCurrent.value ? "" : "stale"}`} aria-labelledby="view-title">
      <ViewHead
        copied="stream"
        title="Stream"
        about={
          <>
            Blocks read the residual stream and add to it. In large vision transformers a few tokens of large
            norm hold global information instead of their patch (
            <a href="https://arxiv.org/abs/2309.16588" target="_blank" rel="noreferrer">
              Darcet et al. 2024
            </a>
            ). A cosine compares directions, not sizes.
          </>
        }
      >
        <Segmented
          label="Tower"
          options={[
            ["image", "Image tower"],
            ["text", "Text tower"],
          ]}
          value={tower}
          onChange={(value) => {
            navigate({ tower: value, token: 0 });
          }}
        />
      </ViewHead>
      {summary.value === null ? (
        <p class="muted">Computed once the network has run.</p>
      ) : (
        <div class="stream-columns">
          <div>
            <Norms />
            <Steps />
          </div>
          <div>
            {tower === "image" ? <SimilarPatches /> : <SimilarTokens />}
            <Turns />
          </div>
        </div>
      )}
    </section>
  );
}

function Norms() {
  const { norms } = summary.value!;
  const { state, token } = selection.value;
  const matrix = useMemo<Matrix>(
    () => ({
      rows: norms.length,
      columns: norms[0]!.length,
      values: norms.flatMap((row) => [...row]),
    }),
    [norms],
  );
  return (
    <figure class="stream-map">
      <figcaption>
        <h2>Norm of each token</h2>
        <MapTools
          name="token-norms"
          title="Norm of each token (column) in each state (row)"
          matrix={matrix}
          drawn={() => drawnAs(matrix, "sequential", rangeOf(matrix.values), "L2 norm")}
        />
      </figcaption>
      <LabelledMap
        matrix={matrix}
        rowNames={stateNames(norms.length)}
        columnNames={null}
        map="sequential"
        title="Norm of each token (column) in each state (row)"
        cell={{ row: state, column: token }}
        onCell={({ row, column }) => {
          adjust({ state: row, token: column });
        }}
      />
      <Legend map="sequential" range={rangeOf(matrix.values)} unit="L2 norm" />
      <p class="readout" aria-live="polite">
        Norm of {tokenName(token)} in {stateName(state)}: <b>{short(norms[state]![token]!)}</b>
      </p>
      <p class="caption">
        Rows: the input of block 0 (in), then the output of each block. Columns: tokens
        {route.value.tower === "image" && ", the class token first"}.
      </p>
    </figure>
  );
}

function Steps() {
  const { steps } = summary.value!;
  if (steps.length > 0) return <BlockSteps steps={steps} />;
  return (
    <p class="caption">
      This tower is post-norm: LayerNorm follows each sum, so that what attention and MLP add cannot be told
      apart by size.
    </p>
  );
}

function SimilarPatches() {
  const pass = imagePass.value!.value;
  const { state, token } = selection.value;
  const all = similarities.value;
  const count = pass.patches[0] * pass.patches[1] + 1;
  const row = all === null ? null : all.subarray(token * count, (token + 1) * count);
  return (
    <figure class="stream-map similar">
      <figcaption>
        <h2>Cosine to {tokenName(token)}</h2>
        {all && row && (
          <MapTools
            name="token-cosines"
            title={`Cosine of each token to ${tokenName(token)} in ${stateName(state)}`}
            matrix={{ rows: count, columns: count, values: all }}
            drawn={() => ({
              image: overImage(pass.input, row.subarray(1), pass.patches, [-1, 1], "diverging", 0.6),
              map: "diverging",
              range: [-1, 1],
              unit: "cosine",
              smooth: true,
            })}
          />
        )}
      </figcaption>
      <PatchStage
        image={pass.input}
        patches={pass.patches}
        weights={row?.subarray(1) ?? null}
        range={[-1, 1]}
        map="diverging"
        opacity={0.6}
        title={`Cosine to ${tokenName(token)} in ${stateName(state)}`}
        token={token}
        restToken={token}
        onToken={(next) => {
          adjust({ token: next });
        }}
      />
      <Legend map="diverging" range={[-1, 1]} unit="cosine" />
      <p class="readout" aria-live="polite">
        {row && nearest(row, token)}
      </p>
    </figure>
  );
}

function SimilarTokens() {
  const { state, token } = selection.value;
  const all = similarities.value;
  if (all === null) return <div class="stream-map hatched" />;
  const length = Math.sqrt(all.length);
  const matrix = { rows: length, columns: length, values: all };
  return (
    <figure class="stream-map similar">
      <figcaption>
        <h2>Tokens like each other</h2>
        <MapTools
          name="token-cosines"
          title={`Cosine of tokens in ${stateName(state)}`}
          matrix={matrix}
          drawn={() => drawnAs(matrix, "diverging", [-1, 1], "cosine")}
        />
      </figcaption>
      <CellMap
        matrix={matrix}
        map="diverging"
        range={[-1, 1]}
        title={`Cosine of tokens in ${stateName(state)}`}
        cell={{ row: token, column: token }}
        isSquare
        onCell={({ row, column }) => {
          adjust({ token: row === token ? column : row });
        }}
      />
      <Legend map="diverging" range={[-1, 1]} unit="cosine" />
      <p class="readout" aria-live="polite">
        {nearest(all.subarray(token * length, (token + 1) * length), token)}
      </p>
    </figure>
  );
}

function Turns() {
  const { state, token } = selection.value;
  const values = turns.value;
  if (values === null) return <div class="stream-map hatched" />;
  const states = Math.sqrt(values.length);
  const matrix = { rows: states, columns: states, values };
  return (
    <figure class="stream-map turns">
      <figcaption>
        <h2>Cosine of its states</h2>
        <MapTools
          name="state-cosines"
          title={`Cosine of the states of ${tokenName(token)}`}
          matrix={matrix}
          drawn={() => drawnAs(matrix, "diverging", [-1, 1], "cosine")}
        />
      </figcaption>
      <LabelledMap
        matrix={matrix}
        rowNames={stateNames(states)}
        columnNames={stateNames(states)}
        axes={["block", "block"]}
        map="diverging"
        range={[-1, 1]}
        title={`Cosine of the states of ${tokenName(token)}`}
        cell={{ row: state, column: state }}
        onCell={({ row, column }) => {
          adjust({ state: row === state ? column : row });
        }}
      />
      <Legend map="diverging" range={[-1, 1]} unit="cosine" />
      <p class="readout">
        {state > 0 && (
          <>
            {stateName(state)} and the state before: cosine{" "}
            <b>{fixed(values[state * states + state - 1]!, 3)}</b>
          </>
        )}
      </p>
    </figure>
  );
}

function nearest(row: ArrayLike<number>, token: number) {
  let best = token === 0 ? 1 : 0;
  for (let i = 0; i < row.length; i++) if (i !== token && row[i]! > row[best]!) best = i;
  return (
    <>
      Most alike: <b>{tokenName(best)}</b>, cosine {fixed(row[best]!, 3)}
    </>
  );
}

/** Of the states as rows and columns: "in" is the input of block 0. */
function stateNames(count: number): string[] {
  return Array.from({ length: count }, (_, i) => (i === 0 ? "in" : `${i - 1}`));
}

function stateName(state: number): string {
  return state === 0 ? "the input of block 0" : `the output of block ${state - 1}`;
}

/** Rows and columns of patches are counted from 1. */
function tokenName(token: number): string {
  if (route.value.tower === "text") {
    const piece = textPass.value?.value.tokens[token]?.piece ?? "";
    return `token ${token} “${piece.replace("▁", "")}”`;
  }
  if (token === 0) return "the class token";
  const columns = imagePass.value?.value.patches[1] ?? 1;
  return `the patch in row ${Math.floor((token - 1) / columns) + 1}, column ${((token - 1) % columns) + 1}`;
}
