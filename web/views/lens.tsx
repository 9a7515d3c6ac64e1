/** The lens: the residual stream after each block, read out as if no block followed. */
import { rangeOf } from "../../lib/trace/tap-summary.ts";
import { fixed, percent } from "../parts/format.ts";
import { LayerChart, type Line } from "../parts/layer-chart.tsx";
import { Legend } from "../parts/legend.tsx";
import { LinesField } from "../parts/lines-field.tsx";
import { PatchStage } from "../parts/patch-stage.tsx";
import { MapTools } from "../parts/map-tools.tsx";
import { OpenFiles } from "../parts/open-files.tsx";
import { SaveChart } from "../parts/save-chart.tsx";
import { Segmented } from "../parts/segmented.tsx";
import { Switch } from "../parts/switch.tsx";
import { ViewHead } from "../parts/view-head.tsx";
import { label, layer, patchScores, probeAnswers, probes, scores } from "../state/lens.ts";
import { labels } from "../state/matching.ts";
import { adjust, navigate, route } from "../state/navigation.ts";
import type { LensScore } from "../state/route.ts";
import { imagePass, isCurrent } from "../state/session.ts";

const kinds = [
  ["probabilities", "Probability"],
  ["logits", "Logit"],
  ["cosines", "Cosine"],
] as const;

export function LensView() {
  const found = scores.value;
  return (
    <section class={`view lens-view ${isCurrent.value ? "" : "stale"}`} aria-labelledby="view-title">
      <ViewHead
        copied="lens"
        title="Lens"
        about={
          <>
            The class token after each block, read out as if no block followed: ln_post, the projection, and
            the similarity to each label (
            <a href="https://www.lesswrong.com/posts/AcKRB8wDpdaN6v6ru" target="_blank" rel="noreferrer">
              logit lens, 2020
            </a>
            ).
          </>
        }
      />
      <p class="caveat">
        <b>A raw lens is not a belief.</b> Nothing trained the middle layers to align with the output. Only
        the last point of a line is the model’s answer; compare the others with probes that were fitted on the
        same layers.
      </p>
      {found === null ? (
        <p class="muted">Computed once the network has run.</p>
      ) : (
        <div class="lens-columns">
          <Chart />
          <PatchLens />
          <Settings />
        </div>
      )}
    </section>
  );
}

function Chart() {
  const found = scores.value!;
  const { lensScore } = route.value;
  const rows = found[lensScore];
  const lines: Line[] = labels.value.map((name, i) => ({
    name,
    values: rows.map((row) => row[i]!),
    kind: name === label.value ? "chosen" : "other",
  }));
  const baseline = lensScore === "probabilities" ? probeLine(label.value, rows.length) : null;
  if (baseline !== null) lines.push(baseline);
  // The chosen line is drawn over the others.
  lines.sort((a, b) => Number(a.kind === "chosen") - Number(b.kind === "chosen"));
  const row = rows[layer.value]!;
  return (
    <figure class="lens-chart">
      <figcaption>
        <Segmented
          label="Score"
          options={kinds}
          value={lensScore}
          onChange={(value) => {
            navigate({ lensScore: value });
          }}
        />
        <span class="map-tools">
          <MapTools
            name={`lens-${lensScore}`}
            title={`${kinds.find(([kind]) => kind === lensScore)![1]} of each label (column) after each block (row)`}
            matrix={{ rows: rows.length, columns: row.length, values: rows.flat() }}
            columnNames={labels.value}
            drawn={null}
          />
          <SaveChart name={`lens-${lensScore}`} />
        </span>
      </figcaption>
      <LayerChart
        lines={lines}
        layers={rows.length}
        layer={layer.value}
        onLayer={(next) => {
          adjust({ lensLayer: next });
        }}
        domain={lensScore === "probabilities" ? [0, 1] : null}
        unit={kinds.find(([kind]) => kind === lensScore)![1].toLowerCase()}
        title={`Scores of ${labels.value.length} labels after each of ${rows.length} blocks`}
      />
      <ol class="lens-labels">
        {labels.value
          .map((name, i) => ({ name, value: row[i]! }))
          .sort((a, b) => b.value - a.value)
          .map(({ name, value }) => (
            <li>
              <button
                type="button"
                class="plain"
                aria-pressed={name === label.value}
                onClick={() => {
                  navigate({ label: name });
                }}
              >
                <span>{name}</span>
                <span class="value">{shown(value, lensScore)}</span>
              </button>
            </li>
          ))}
      </ol>
      <p class="caption">
        After block {layer.value}, best first. Click in the chart for another block, on a label for its line
        and map.
        {baseline !== null && " Dashed: the probes’ probability of the label."}
      </p>
    </figure>
  );
}

/** The probability that the probe of each layer gives to a class of the label's name; null without one. */
function probeLine(name: string, layers: number): Line | null {
  const values = Array.from({ length: layers }, (_, i) => {
    const answer = probeAnswers.value?.find((one) => one.layer === i);
    const at = answer?.classes.indexOf(name) ?? -1;
    return at === -1 ? null : answer!.probabilities[at]!;
  });
  return values.every((value) => value === null) ? null : { name: "probe", values, kind: "baseline" };
}

function shown(value: number, kind: LensScore): string {
  return kind === "probabilities" ? percent(value) : fixed(value, kind === "logits" ? 2 : 3);
}

function PatchLens() {
  const pass = imagePass.value!.value;
  const found = patchScores.value;
  const { lensScore, absolute, token } = route.value;
  const at = labels.value.indexOf(label.value);
  const all = found === null ? null : found[lensScore].map((row) => row[at]!);
  const patches = all?.slice(1) ?? null;
  const own = patches === null ? ([0, 1] as const) : rangeOf(patches);
  const range = absolute && lensScore === "probabilities" ? ([0, 1] as const) : own;
  const columns = pass.patches[1];
  return (
    <figure class="lens-map">
      <figcaption>
        <h2>
          “{label.value}” <small>each token after block {layer.value}</small>
        </h2>
      </figcaption>
      <PatchStage
        image={pass.input}
        patches={pass.patches}
        weights={patches}
        range={range}
        opacity={0.6}
        title={`Score of “${label.value}” after block ${layer.value}`}
        token={token}
        onToken={(next) => {
          adjust({ token: next });
        }}
      />
      <Legend
        map="sequential"
        range={range}
        unit={lensScore === "probabilities" ? "probability" : lensScore}
      />
      <p class="readout" aria-live="polite">
        {all !== null && (
          <>
            {token === 0 || token >= all.length
              ? "Class token"
              : `Patch in row ${Math.floor((token - 1) / columns) + 1}, column ${((token - 1) % columns) + 1}`}
            : <b>{shown(all[token] ?? all[0]!, lensScore)}</b>
          </>
        )}
      </p>
      {lensScore === "probabilities" && (
        <Switch
          label="Absolute scale"
          title="From 0 to 1"
          isOn={absolute}
          onChange={(isOn) => {
            navigate({ absolute: isOn });
          }}
        />
      )}
    </figure>
  );
}

function Settings() {
  return (
    <form
      class="lens-settings"
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
      <p class="lens-probes">
        <b>Probes as a baseline</b>{" "}
        <OpenFiles text="Open probe files …" name="probes" accept=".safetensors" />
      </p>
      <p class="caption">
        Files of <code>clipscope probe layers</code>, folder <code>probes</code>. A class counts for a label
        of the same name.
        {probes.value.length > 0 && probeAnswers.value !== null && ` Open: ${probes.value.length}.`}
      </p>
    </form>
  );
}
