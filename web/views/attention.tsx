/** Attention of the image tower: all heads as a matrix, and one of them over the image. */
import { useState } from "preact/hooks";
import { HeadMatrix } from "../parts/head-matrix.tsx";
import { fixed, percent } from "../parts/format.ts";
import { overImage } from "../parts/drawn-map.ts";
import { Legend } from "../parts/legend.tsx";
import { MapTools } from "../parts/map-tools.tsx";
import { PatchStage } from "../parts/patch-stage.tsx";
import { Segmented } from "../parts/segmented.tsx";
import { Switch } from "../parts/switch.tsx";
import { TokenMatrix } from "../parts/token-matrix.tsx";
import { ViewHead } from "../parts/view-head.tsx";
import { matrix, place, rangeFor, weights } from "../state/attention.ts";
import { adjust, navigate, route } from "../state/navigation.ts";
import { imagePass, isCurrent } from "../state/session.ts";

export function AttentionView() {
  const pass = imagePass.value?.value;
  return (
    <section class={`view attention-view ${isCurrent.value ? "" : "stale"}`} aria-labelledby="view-title">
      <ViewHead
        copied="attention"
        title="Attention"
        about={
          <>
            softmax(Q Kᵀ / √d) of the image tower. A weight says how much of a token’s value is read, not how
            much it matters for the answer (
            <a href="https://arxiv.org/abs/1902.10186" target="_blank" rel="noreferrer">
              Jain, Wallace 2019
            </a>
            ).
          </>
        }
      />
      {pass && (
        <div class="attention-columns">
          <HeadMatrix heads={pass.heads} patches={pass.patches} />
          <Stage />
        </div>
      )}
    </section>
  );
}

const modes = [
  ["from", "Attends to"],
  ["to", "Attended by"],
  ["rollout", "Rollout"],
] as const;

function Stage() {
  const [opacity, setOpacity] = useState(55);
  const pass = imagePass.value!.value;
  const { layer, head, token } = place.value;
  const { mode, absolute } = route.value;
  const shown = weights.value;
  const patchWeights = shown?.subarray(1) ?? null;
  const range = patchWeights === null ? ([0, 1] as const) : rangeFor(patchWeights);
  const [rows, columns] = pass.patches;
  const tokens = rows * columns + 1;
  const label = modes.find(([one]) => one === mode)![1];
  return (
    <div class="stage">
      <div class="stage-head">
        <div class="titled">
          <h2>{title(layer, head, mode)}</h2>
          {patchWeights && (
            <MapTools
              name={`attention-${mode}-${layer}-${head ?? "mean"}`}
              title={`${title(layer, head, mode)}: ${mode === "rollout" ? "class token" : tokenName(token, columns)}, ${label.toLowerCase()}`}
              matrix={{ rows, columns, values: patchWeights }}
              drawn={() => ({
                image: overImage(pass.input, patchWeights, pass.patches, range, "sequential", opacity / 100),
                map: "sequential",
                range,
                unit: mode === "rollout" ? "share" : "weight",
                smooth: true,
              })}
            />
          )}
        </div>
        <Segmented
          label="What is shown"
          options={modes}
          value={mode}
          onChange={(value) => {
            navigate({ mode: value });
          }}
        />
      </div>
      <div class="stage-body">
        <div class="stage-image">
          <PatchStage
            image={pass.input}
            patches={pass.patches}
            weights={patchWeights}
            range={range}
            opacity={opacity / 100}
            title={title(layer, head, mode)}
            token={token}
            onToken={
              mode === "rollout"
                ? null
                : (next) => {
                    adjust({ token: next });
                  }
            }
          >
            <button
              type="button"
              class="class-token"
              aria-pressed={token === 0}
              disabled={mode === "rollout"}
              onClick={() => {
                navigate({ token: 0 });
              }}
            >
              class token
            </button>
          </PatchStage>
          <Legend
            map="sequential"
            range={range}
            unit={mode === "rollout" ? "share" : "weight"}
            mark={{ value: 1 / tokens, name: "uniform" }}
          />
          <Readout weights={shown} token={token} columns={pass.patches[1]} />
        </div>
        <div class="stage-side">
          <div class="controls">
            <Switch
              label="Mean over heads"
              isOn={head === null || mode === "rollout"}
              isFixed={mode === "rollout"}
              onChange={(isOn) => {
                navigate({ head: isOn ? null : 0 });
              }}
            />
            <Switch
              label="Absolute scale"
              title="One range of colours for all heads and layers of this pass"
              isOn={absolute}
              onChange={(isOn) => {
                navigate({ absolute: isOn });
              }}
            />
            <label class="slider">
              <span>Overlay</span>
              <input
                type="range"
                min="0"
                max="100"
                value={opacity}
                onInput={(event) => {
                  setOpacity(event.currentTarget.valueAsNumber);
                }}
              />
              <output>{opacity} %</output>
            </label>
          </div>
          <TokenMatrix
            name={`attention-${layer}-${head ?? "mean"}`}
            attention={matrix.value}
            token={token}
            onToken={(next) => {
              adjust({ token: next });
            }}
          />
        </div>
      </div>
    </div>
  );
}

function title(layer: number, head: number | null, mode: string): string {
  if (mode === "rollout") return `Rollout to layer ${layer}`;
  return `Layer ${layer}, ${head === null ? "mean over heads" : `head ${head}`}`;
}

interface ReadoutProps {
  readonly weights: Float64Array | null;
  readonly token: number;
  readonly columns: number;
}

function Readout({ weights: shown, token, columns }: ReadoutProps) {
  if (shown === null) return <p class="readout">Computed once the network is loaded.</p>;
  const { mode } = route.value;
  let top = 1;
  for (let i = 1; i < shown.length; i++) if (shown[i]! > shown[top]!) top = i;
  const subject = mode === "rollout" ? "class token" : tokenName(token, columns);
  const verb = { from: "attends most to", to: "is attended most by", rollout: "receives most from" }[mode];
  return (
    <p class="readout" aria-live="polite">
      The {subject} {verb} the <b>{tokenName(top, columns)}</b>: {fixed(shown[top]!, 3)}
      {mode !== "to" && <span class="muted"> · class token {percent(shown[0]!)}</span>}
    </p>
  );
}

/** Rows and columns are counted from 1. */
function tokenName(token: number, columns: number): string {
  if (token === 0) return "class token";
  return `patch in row ${Math.floor((token - 1) / columns) + 1}, column ${((token - 1) % columns) + 1}`;
}
