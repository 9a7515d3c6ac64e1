/** The network against the reference: each value's difference to a golden that PyTorch has written. */
import { useId } from "preact/hooks";
import { CopyButton } from "../parts/copy-button.tsx";
import { fixed, tiny } from "../parts/format.ts";
import { OpenFiles } from "../parts/open-files.tsx";
import { PairMaps } from "../parts/pair-maps.tsx";
import { ParityTable } from "../parts/parity-table.tsx";
import { SaveTable } from "../parts/save-table.tsx";
import { Segmented } from "../parts/segmented.tsx";
import { Switch } from "../parts/switch.tsx";
import { TapName } from "../parts/tap-name.tsx";
import { TapDots } from "../parts/tap-dots.tsx";
import { ViewHead } from "../parts/view-head.tsx";
import { droppedGoldens, goldenTitles } from "../state/goldens.ts";
import { navigate, route } from "../state/navigation.ts";
import { openingModel, otherModel } from "../state/other-model.ts";
import {
  comparedName,
  parity,
  parityProblem,
  shownTap,
  tapValues,
  tolerance,
  type Parity,
  type TapRow,
} from "../state/parity.ts";
import { goldenNames } from "../state/route.ts";
import { modelInfo } from "../state/session.ts";
import { quoted } from "../state/snippet.ts";

export function ParityView() {
  const found = parity.value;
  return (
    <section class="view parity-view" aria-labelledby="view-title">
      <ViewHead
        title="Parity"
        about={
          <>
            Each value of the network against a golden: the same inputs through{" "}
            <a href="https://github.com/mlfoundations/open_clip" target="_blank" rel="noreferrer">
              OpenCLIP
            </a>{" "}
            on PyTorch. End to end, errors of earlier values reach later ones; isolated, each module takes the
            golden’s input, so that only its own error is left. Agreement on one input does not prove it for
            all.
          </>
        }
      />
      <Settings />
      {parityProblem.value !== null && (
        <p class="inline-problem" role="status">
          {parityProblem.value}
        </p>
      )}
      {found !== null && <Result found={found} />}
      {found === null && parityProblem.value === null && <div class="compare-wait hatched" />}
    </section>
  );
}

function Settings() {
  const id = useId();
  const { golden, isolated, compared } = route.value;
  const open = parity.value?.golden;
  const files = new Set([...droppedGoldens.value.keys()].map((name) => `file:${name}`));
  if (golden.startsWith("file:")) files.add(golden);
  const canIsolate = open?.kind === "golden" && open.isWhole;
  return (
    <div class="parity-settings">
      <label for={id}>
        <b>Golden</b>
      </label>
      <select
        id={id}
        value={golden}
        onChange={(event) => {
          navigate({ golden: event.currentTarget.value, tap: null });
        }}
      >
        {goldenNames.map((name) => (
          <option value={name}>{goldenTitles[name]}</option>
        ))}
        {[...files].map((file) => (
          <option value={file}>File: {file.slice("file:".length)}</option>
        ))}
      </select>
      {(otherModel.value !== null || compared === "dropped") && (
        <Segmented
          label="Network"
          options={[
            ["page", modelInfo.value?.name ?? "This page’s model"],
            ["dropped", otherModel.value?.info.name ?? openingModel.value?.name ?? "Dropped model"],
          ]}
          value={compared}
          onChange={(value) => {
            navigate({ compared: value, tap: null });
          }}
        />
      )}
      <Switch
        label="Isolated"
        title={canIsolate ? "Give each module the golden’s input" : "Requires a golden with whole values"}
        isOn={isolated && canIsolate}
        isFixed={!canIsolate}
        onChange={(isOn) => {
          navigate({ isolated: isOn });
        }}
      />
      <div class="actions">
        <OpenFiles text="Open a golden or report …" name="golden" accept=".safetensors,.json" />
        <OpenFiles text="Open a model directory …" name="model" accept="folder" />
      </div>
    </div>
  );
}

function Result({ found }: { readonly found: Parity }) {
  const { taps, golden, float32, isComplete } = found;
  const shown = shownTap.value;
  const choose = (tap: string): void => {
    navigate({ tap });
  };
  return (
    <div data-verified={isComplete ? taps.length : undefined}>
      <Summary found={found} />
      <TapDots
        title="Relative L2 of each value"
        taps={taps.map(({ name, relativeL2, passed }) => ({
          name,
          value: relativeL2,
          isBad: !passed,
          reference: float32?.[name],
        }))}
        limit={{ value: tolerance, name: "Largest that passes:" }}
        {...(float32 !== null && { referenceName: "PyTorch in float32, against float64" })}
        selected={shown?.name ?? null}
        onSelect={choose}
      />
      <div class="actions compare-actions">
        <SaveTable
          name="parity"
          head={["tap", "relative_l2", "max_abs", "cosine", "ratio", "passed"]}
          rows={() =>
            taps.map(({ name, relativeL2, maxAbs, cosine, ratio, passed }) => [
              name,
              relativeL2,
              maxAbs,
              cosine,
              ratio ?? null,
              passed ? "true" : "false",
            ])
          }
        />
        {golden.kind === "golden" && <CopyButton text={command(golden.name)} label="Copy command" />}
      </div>
      {shown !== null && <Pair tap={shown} found={found} />}
      <ParityTable taps={taps} selected={shown?.name ?? null} onSelect={choose} />
    </div>
  );
}

function command(name: string): string {
  const { golden, isolated, compared } = route.value;
  const file = golden.startsWith("file:") ? name : `fixtures/demo-model/goldens/${name}`;
  const model = compared === "dropped" ? "--model PATH/TO/THE/MODEL " : "";
  return `node bin/clipscope.js verify ${model}--golden ${quoted(file)}${isolated ? " --isolated" : ""}`;
}

function Summary({ found: { taps, golden, isComplete } }: { readonly found: Parity }) {
  if (!isComplete) {
    return (
      <p class="compare-summary" role="status">
        {taps.length} values compared …
      </p>
    );
  }
  const failed = taps.filter(({ passed }) => !passed).length;
  const worst = largestBy(taps, ({ relativeL2 }) => relativeL2);
  const ratio = largestBy(taps, (tap) => tap.ratio ?? null);
  return (
    <p class="compare-summary" role="status">
      <b class={failed === 0 ? "passed" : "failed"}>{failed === 0 ? "Passed" : `${failed} failed`}</b>:{" "}
      {taps.length} values{golden.kind === "report" ? " in this report" : ` of ${comparedName.value}`}
      {worst?.relativeL2 != null && (
        <>
          , largest relative L2 <b>{tiny(worst.relativeL2)}</b> at <code>{worst.name}</code>
        </>
      )}
      {ratio?.ratio !== undefined && (
        <>
          ; at most <b>{fixed(ratio.ratio, 2)}</b> × the error of PyTorch’s own float32, at{" "}
          <code>{ratio.name}</code>
        </>
      )}
      .{golden.kind === "golden" && <span class="muted"> Golden by {golden.reference}.</span>}
    </p>
  );
}

function largestBy(taps: readonly TapRow[], of: (tap: TapRow) => number | null): TapRow | null {
  return taps.reduce<TapRow | null>((best, tap) => {
    const value = of(tap);
    return value !== null && (best === null || value > of(best)!) ? tap : best;
  }, null);
}

function Pair({ tap, found: { golden } }: { readonly tap: TapRow; readonly found: Parity }) {
  const { name, relativeL2, missing, problem } = tap;
  const values = tapValues.value;
  return (
    <section class="pair" aria-label={`The values of ${name}`} data-pair={values === null ? undefined : name}>
      <header class="pair-head">
        <h2>
          <TapName name={name} />
        </h2>
        {relativeL2 !== null && (
          <p>
            relative L2 <b>{tiny(relativeL2)}</b>
            {tap.ratio !== undefined && (
              <>
                {" "}
                · <b>{fixed(tap.ratio, 2)}</b> × PyTorch’s float32
              </>
            )}
          </p>
        )}
      </header>
      {golden.kind === "report" ? (
        <p class="muted">A report has figures only. Open its golden to see the values.</p>
      ) : relativeL2 === null ? (
        <p class="muted">
          {problem ?? (missing === "ours" ? "The network lacks this value." : "The golden lacks this value.")}
        </p>
      ) : values === null ? (
        <div class="pair-wait hatched" />
      ) : (
        <PairMaps
          name={name}
          a={matrixOf(values.ours, values.columns)}
          b={matrixOf(values.golden, values.columns)}
          letters={["Ours", "Golden"]}
          titles={[comparedName.value, golden.reference]}
          unit="value"
          nameOf={({ row, column }) => (golden.isWhole ? `row ${row}, column ${column}` : `sample ${column}`)}
        />
      )}
    </section>
  );
}

function matrixOf(values: Float32Array, columns: number) {
  return { rows: values.length / columns, columns, values };
}
