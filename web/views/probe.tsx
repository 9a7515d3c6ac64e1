/** Linear probes: which layer's output tells classes of images apart. */
import { useId } from "preact/hooks";
import { CopyButton } from "../parts/copy-button.tsx";
import { FitCurve } from "../parts/fit-curve.tsx";
import { percent } from "../parts/format.ts";
import { Icon } from "../parts/icon.tsx";
import { LayerBars } from "../parts/layer-bars.tsx";
import { LongWork } from "../parts/long-work.tsx";
import { ProbeAnswers } from "../parts/probe-answers.tsx";
import { ProbeClasses } from "../parts/probe-classes.tsx";
import { SaveTable } from "../parts/save-table.tsx";
import { Segmented } from "../parts/segmented.tsx";
import { ViewHead } from "../parts/view-head.tsx";
import { download } from "../state/download.ts";
import { navigate, route } from "../state/navigation.ts";
import {
  curve,
  embedding,
  embedWork,
  fit,
  isWaiting,
  probeProblem,
  probeTap,
  probeTaps,
  probing,
  tapTitle,
} from "../state/probing.ts";
import { quoted } from "../state/snippet.ts";

export function ProbeView() {
  return (
    <section class="view probe-view" aria-labelledby="view-title">
      <ViewHead
        title="Probe"
        about={
          <>
            A linear classifier on the frozen output of a layer (
            <a href="https://arxiv.org/abs/1610.01644" target="_blank" rel="noreferrer">
              Alain, Bengio 2016
            </a>
            ). It shows what can be read from a layer linearly, not what the network uses (
            <a href="https://arxiv.org/abs/2102.12452" target="_blank" rel="noreferrer">
              Belinkov 2022
            </a>
            ). With few images, intervals are wide.
          </>
        }
      />
      <ProbeClasses />
      <Settings />
      {probeProblem.value !== null && (
        <p class="inline-problem" role="status">
          {probeProblem.value}
        </p>
      )}
      <Embedding />
      <Result />
      <ProbeAnswers />
    </section>
  );
}

const pools = [
  ["class", "Class token"],
  ["mean", "Mean of patches"],
] as const;

function Settings() {
  const id = useId();
  const { pool, C } = route.value;
  return (
    <div class="probe-settings">
      <label for={`${id}-tap`}>
        <b>Layer</b>
      </label>
      <select
        id={`${id}-tap`}
        value={probeTap.value}
        onChange={(event) => {
          navigate({ probeTap: event.currentTarget.value });
        }}
      >
        {probeTaps.value.map((tap) => (
          <option value={tap}>{tapTitle(tap)}</option>
        ))}
      </select>
      <Segmented
        label="Vector of an image"
        options={pools}
        value={pool}
        onChange={(value) => {
          navigate({ pool: value });
        }}
      />
      <label title="Inverse strength of the L2 penalty, as in scikit-learn">
        <b>C</b>{" "}
        <input
          type="number"
          min="0.001"
          step="any"
          value={C}
          onChange={(event) => {
            const value = event.currentTarget.valueAsNumber;
            if (value > 0) navigate({ C: value });
          }}
        />
      </label>
    </div>
  );
}

function Embedding() {
  if (!isWaiting.value && embedding.value === null) return null;
  return (
    <div class="probe-work">
      <LongWork work={embedWork} />
    </div>
  );
}

function Result() {
  const all = probing.value;
  const fitted = fit.value;
  if (all === null || fitted === null) {
    return probeProblem.value === null && !isWaiting.value ? <div class="probe-wait hatched" /> : null;
  }
  const { heldOut, trainingAccuracy, iterations, converged, file } = fitted;
  return (
    <div class="probe-result" data-fitted={all.rows}>
      <div class="probe-fit">
        <h2>
          {tapTitle(probeTap.value)} <small>{all.rows} images</small>
        </h2>
        <dl class="probe-figures">
          <div>
            <dt>held out</dt>
            <dd>
              {heldOut === null ? (
                <span class="muted">needs two images of each class</span>
              ) : (
                <>
                  <b data-held-out={heldOut.mean}>{percent(heldOut.mean)}</b>{" "}
                  <span class="muted">
                    ± {percent(heldOut.half)}, {heldOut.accuracies.length} folds
                  </span>
                </>
              )}
            </dd>
          </div>
          <div>
            <dt>training</dt>
            <dd>
              <b data-training={trainingAccuracy}>{percent(trainingAccuracy)}</b>
            </dd>
          </div>
          <div>
            <dt>L-BFGS</dt>
            <dd>
              {iterations} iterations{converged ? "" : ", stopped before the minimum"}
            </dd>
          </div>
        </dl>
        {curve.value.length > 0 ? <FitCurve steps={curve.value} /> : <div class="fit-curve hatched" />}
        <div class="actions">
          <button
            type="button"
            onClick={() => {
              download("probe.safetensors", "application/octet-stream", file as Uint8Array<ArrayBuffer>);
            }}
          >
            <Icon name="save" /> Save probe file
          </button>
          <SaveTable
            name="fit"
            head={["iteration", "loss", "accuracy"]}
            rows={() => curve.value.map(({ loss, accuracy }, i) => [i, loss, accuracy])}
          />
          <CopyButton text={command()} label="Copy command" />
        </div>
      </div>
      <LayerBars />
    </div>
  );
}

function command(): string {
  const { pool, C } = route.value;
  const folds = fit.value?.heldOut?.accuracies.length ?? 2;
  const tap = probeTap.value === "visual" ? "" : ` --tap ${quoted(probeTap.value)} --pool ${pool}`;
  return (
    `node bin/clipscope.js embed --images FOLDER/OF/CLASSES${tap} --out features.safetensors && ` +
    `node bin/clipscope.js probe fit --features features.safetensors -C ${C} --folds ${folds} --out probe.safetensors`
  );
}
