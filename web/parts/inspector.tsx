/** The selected value: statistics, distribution, numbers, and where it comes from. */
import { useEffect, useState } from "preact/hooks";
import { matrixOf, rangeOf, type Matrix, type TapSummary } from "../../lib/trace/tap-summary.ts";
import { documentation, selected } from "../state/derived.ts";
import { csvOf } from "../state/csv.ts";
import { download } from "../state/download.ts";
import { navigate, route } from "../state/navigation.ts";
import { notifyError } from "../state/notices.ts";
import { model } from "../state/network.ts";
import { imagePass, readTap, textPass } from "../state/session.ts";
import { currentImage, currentText } from "../state/tray.ts";
import { commandFor, snippetFor } from "../state/snippet.ts";
import { mapFor } from "./colour.ts";
import { CopyButton } from "./copy-button.tsx";
import { count, percent, shapeText, short } from "./format.ts";
import { HeatMap } from "./heat-map.tsx";
import { Histogram } from "./histogram.tsx";
import { Icon } from "./icon.tsx";
import { Legend } from "./legend.tsx";
import { cellNames, layOut, unitOf } from "./tap-matrix.ts";

/** Cells of a table that can still be read. */
const mostCells = 512;

export function Inspector() {
  const summary = selected.value;
  const { tap } = route.value;
  return (
    <aside class={`inspector ${tap === null ? "empty" : ""}`} aria-label="Inspector">
      {summary !== null ? <Details key={summary.name} summary={summary} /> : <Empty tap={tap} />}
    </aside>
  );
}

function Empty({ tap }: { readonly tap: string | null }) {
  if (tap !== null && model.value.status === "live") {
    return (
      <div class="hint">
        <h2>No such value</h2>
        <p>
          This pass has no value named <code>{tap}</code>. Press <kbd>/</kbd> to search all names.
        </p>
      </div>
    );
  }
  return (
    <div class="hint">
      <h2>Inspector</h2>
      <p>Select a value to see its numbers.</p>
      <ol>
        <li>
          Unfold a card, such as <b>Block 2</b>.
        </li>
        <li>
          Select a value, such as <code>attn</code>.
        </li>
        <li>
          Or press <kbd>/</kbd> and type a part of its name.
        </li>
      </ol>
      <p class="muted">
        Names are those of PyTorch’s <code>named_modules()</code>. A name with <code>#</code> has no module of
        its own.
      </p>
    </div>
  );
}

function Details({ summary }: { readonly summary: TapSummary }) {
  const { name, shape, statistics, histogram, min, max } = summary;
  const doc = documentation(name);
  const snippet = snippetFor(name);
  const size = shape.reduce((product, length) => product * length, 1);
  const values = useValues(summary);
  const isStored = !("info" in model.value);
  return (
    <>
      <header class="inspector-head">
        <h2 title={name}>{breakable(name)}</h2>
        <button
          type="button"
          class="plain"
          aria-label="Close the inspector"
          onClick={() => {
            navigate({ tap: null });
          }}
        >
          <Icon name="close" />
        </button>
      </header>
      {doc && <p class="formula">{doc.value}</p>}
      <p class="facts">
        <span>{shapeText(shape)}</span>
        {doc && <span class="muted">{doc.shape}</span>}
        <span class="muted">{name === "input.text" ? "int64" : "float32"}</span>
        {isStored && <span class="badge stored">stored</span>}
      </p>
      <dl class="statistics">
        <Statistic name="mean" value={short(statistics.mean)} />
        <Statistic name="std" value={short(statistics.std)} />
        <Statistic name="norm" value={short(statistics.norm)} />
        <Statistic name="min" value={short(min)} />
        <Statistic name="max" value={short(max)} />
        <Statistic
          name="kurtosis"
          value={Number.isFinite(statistics.kurtosis) ? short(statistics.kurtosis) : "–"}
        />
        <Statistic name="zeros" value={percent(statistics.zeros)} />
        <Statistic name="values" value={count(size)} />
      </dl>
      {size > 1 && (
        <>
          <h3>Distribution</h3>
          <Histogram counts={histogram} min={min} max={max} />
        </>
      )}
      <h3>Values</h3>
      <Values summary={summary} values={values} />
      <div class="actions">
        {snippet !== null && <CopyButton text={snippet} label="Copy TypeScript" />}
        <CopyButton text={commandFor(name)} label="Copy command" />
        <button
          type="button"
          disabled={values === null}
          onClick={() => {
            if (values !== null) saveTap(summary, values).catch(notifyError);
          }}
        >
          <Icon name="save" /> Save .safetensors
        </button>
        <button
          type="button"
          disabled={values === null}
          onClick={() => {
            if (values !== null) download(`${name}.csv`, "text/csv", csvOf(matrixOf(shape, values)));
          }}
        >
          <Icon name="save" /> CSV
        </button>
      </div>
      {doc && (doc.weights !== "" || doc.files.length > 0 || doc.papers.length > 0) && (
        <>
          <h3>Source</h3>
          <dl class="source">
            {doc.weights !== "" && <Statistic name="weights" value={doc.weights} />}
            {doc.files.length > 0 && <Statistic name="file" value={doc.files.join(", ")} />}
            {doc.papers.length > 0 && (
              <div>
                <dt>paper</dt>
                <dd>
                  {doc.papers.map(({ text, url }) => (
                    <a href={url} target="_blank" rel="noreferrer">
                      {text}
                    </a>
                  ))}
                </dd>
              </div>
            )}
          </dl>
        </>
      )}
    </>
  );
}

/** Lets a long name break after its dots. */
function breakable(name: string) {
  return name.split(/(?<=[.#_])/).map((part) => (
    <>
      {part}
      <wbr />
    </>
  ));
}

function Statistic({ name, value }: { readonly name: string; readonly value: string }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{value}</dd>
    </div>
  );
}

/** The values of the tap in the current pass; null while they are read. */
function useValues({ name }: TapSummary): Float32Array | null {
  const [values, setValues] = useState<Float32Array | null>(null);
  const passes = [imagePass.value, textPass.value];
  useEffect(() => {
    const controller = new AbortController();
    readTap(name, controller.signal).then(setValues, notifyError);
    return () => {
      controller.abort();
    };
  }, [name, ...passes]);
  return values;
}

function Values({ summary, values }: { readonly summary: TapSummary; readonly values: Float32Array | null }) {
  const [isTable, setTable] = useState(false);
  const { name, shape } = summary;
  if (values === null) {
    return <p class="hatched pending">The values are read once the network is loaded.</p>;
  }
  if (values.length === 1) {
    return (
      <p class="single" data-values={name}>
        {String(values[0])}
      </p>
    );
  }
  const matrix = layOut(matrixOf(shape, values));
  const [min, max] = rangeOf(matrix.values);
  const map = mapFor(min, max);
  const isSmall = matrix.rows * matrix.columns <= mostCells;
  return (
    <div class="values" data-values={name}>
      {isTable && isSmall ? (
        <Table matrix={matrix} />
      ) : (
        <>
          <HeatMap matrix={matrix} map={map} title={name} nameOf={cellNames(shape, matrix)} />
          <Legend map={map} range={[min, max]} unit={unitOf(shape)} />
        </>
      )}
      {isSmall && (
        <button
          type="button"
          class="link"
          onClick={() => {
            setTable(!isTable);
          }}
        >
          {isTable ? "Show as colours" : "Show as a table"}
        </button>
      )}
    </div>
  );
}

function Table({ matrix: { rows, columns, values } }: { readonly matrix: Matrix }) {
  return (
    <div class="table-box" tabIndex={0} role="region" aria-label="Values as a table">
      <table>
        <tbody>
          {Array.from({ length: rows }, (_, row) => (
            <tr>
              <th scope="row">{row}</th>
              {Array.from({ length: columns }, (_, column) => (
                <td>{short(values[row * columns + column]!)}</td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

async function saveTap({ name, shape }: TapSummary, values: Float32Array): Promise<void> {
  const { encodeSafetensors } = await import("../../lib/tensor/safetensors.ts");
  const bytes = new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
  const metadata = { image: currentImage.value?.name ?? "", text: currentText.value.text };
  const file = encodeSafetensors([{ name, dtype: "F32", shape, bytes }], metadata);
  download(`${name}.safetensors`, "application/octet-stream", file as Uint8Array<ArrayBuffer>);
}
