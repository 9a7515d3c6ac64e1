/** The text tower: tokens of all texts, attention, what the pooled vector is made of, and how two texts align. */
import type { Token } from "../../lib/studio/results.ts";
import type { Matrix } from "../../lib/trace/tap-summary.ts";
import { fixed, percent } from "../parts/format.ts";
import { LabelledMap } from "../parts/labelled-map.tsx";
import { Legend } from "../parts/legend.tsx";
import { MapTools } from "../parts/map-tools.tsx";
import { drawnAs } from "../parts/drawn-map.ts";
import { ViewHead } from "../parts/view-head.tsx";
import { adjust, navigate } from "../state/navigation.ts";
import { isCurrent, textPass } from "../state/session.ts";
import { aligned, attention, other, place, pooled, read } from "../state/text.ts";
import { currentText, trayTexts } from "../state/tray.ts";

export function TextView() {
  const pass = textPass.value?.value;
  return (
    <section class={`view text-view ${isCurrent.value ? "" : "stale"}`} aria-labelledby="view-title">
      <ViewHead
        copied="text"
        title="Text"
        about="The tokenizer cuts a text into pieces of its vocabulary; the text tower turns them into one vector. The same sentence in other languages has other pieces and should have nearly the same vector."
      />
      <Texts />
      {pass && (
        <div class="text-columns">
          <AttentionMap tokens={pass.tokens} />
          <PoolMap tokens={pass.tokens} />
          <Alignment tokens={pass.tokens} />
        </div>
      )}
    </section>
  );
}

/** Each text of the tray with its pieces, and the cosine of its embedding with the current one's. */
function Texts() {
  const found = read.value;
  const texts = trayTexts.value;
  const current = texts.findIndex(({ text }) => text === currentText.value.text);
  if (found === null || found.texts.length !== texts.length) {
    return <p class="muted">Computed once the network has run.</p>;
  }
  return (
    <table class="token-rows">
      <thead>
        <tr>
          <th scope="col">text</th>
          <th scope="col">tokens</th>
          <th scope="col" class="value">
            cosine with current
          </th>
        </tr>
      </thead>
      <tbody>
        {texts.map(({ text, language }, i) => (
          <tr class={i === current ? "current" : ""}>
            <th scope="row">
              <button
                type="button"
                class="plain"
                aria-pressed={i === current}
                onClick={() => {
                  navigate({ text });
                }}
              >
                <span class="language">{language ?? "··"}</span>
                <span lang={language ?? undefined}>{text}</span>
              </button>
            </th>
            <td>
              <Pieces tokens={found.texts[i]!.tokens} />
            </td>
            <td class="value">
              {current === -1 ? "–" : fixed(found.cosines[current * texts.length + i]!, 3)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}

const unknownPiece = /^(<unk>|\[UNK\])$/;

function Pieces({ tokens }: { readonly tokens: readonly Token[] }) {
  return (
    <ol class="pieces">
      {tokens.map(({ piece, id }) => (
        <li
          class={`piece ${kindOf(piece)}`}
          title={`id ${id}${unknownPiece.test(piece) ? ", not in the vocabulary" : ""}`}
        >
          {shownPiece(piece)}
        </li>
      ))}
    </ol>
  );
}

function kindOf(piece: string): string {
  if (unknownPiece.test(piece)) return "unknown";
  return /^(<.*>|\[.*\])$/.test(piece) ? "special" : "";
}

/** SentencePiece marks the beginning of a word by "▁". */
function shownPiece(piece: string): string {
  return piece.replace(/^▁(?=.)/, "");
}

interface TokensProps {
  readonly tokens: readonly Token[];
}

function AttentionMap({ tokens }: TokensProps) {
  const values = attention.value;
  const { layer, layers, head, heads, token } = place.value;
  const names = tokens.map(({ piece }) => shownPiece(piece));
  const count = tokens.length;
  const matrix = values?.length === count * count ? { rows: count, columns: count, values } : null;
  return (
    <figure class="text-map">
      <figcaption>
        <h2>Attention</h2>
        {matrix && (
          <MapTools
            name={`attention-${layer}-${head ?? "mean"}`}
            title={`Attention of layer ${layer}, ${head === null ? "mean over heads" : `head ${head}`}: query (row), key (column)`}
            matrix={matrix}
            rowNames={names}
            columnNames={names}
            drawn={() => drawnAs(matrix, "sequential", [0, 1], "weight")}
          />
        )}
      </figcaption>
      <p class="choices">
        <label>
          layer{" "}
          <select
            value={layer}
            onChange={(event) => {
              navigate({ layer: Number(event.currentTarget.value) });
            }}
          >
            {Array.from({ length: layers }, (_, i) => (
              <option value={i}>{i}</option>
            ))}
          </select>
        </label>
        <label>
          head{" "}
          <select
            value={head ?? "mean"}
            onChange={(event) => {
              const { value } = event.currentTarget;
              navigate({ head: value === "mean" ? null : Number(value) });
            }}
          >
            <option value="mean">mean</option>
            {Array.from({ length: heads }, (_, i) => (
              <option value={i}>{i}</option>
            ))}
          </select>
        </label>
      </p>
      {matrix === null ? (
        <div class="hatched waiting" />
      ) : (
        <>
          <LabelledMap
            matrix={matrix}
            rowNames={names}
            columnNames={names}
            axes={["query", "key"]}
            map="sequential"
            range={[0, 1]}
            title={`Attention of layer ${layer}, ${head === null ? "mean over heads" : `head ${head}`}: query (row), key (column)`}
            cell={{ row: token, column: most(matrix, token) }}
            onCell={({ row }) => {
              adjust({ token: row });
            }}
          />
          <Legend map="sequential" range={[0, 1]} unit="weight" />
          <p class="readout" aria-live="polite">
            “{names[token]}” attends most to <b>“{names[most(matrix, token)]}”</b>:{" "}
            {fixed(matrix.values[token * count + most(matrix, token)]!, 3)}
          </p>
        </>
      )}
    </figure>
  );
}

function PoolMap({ tokens }: TokensProps) {
  const found = pooled.value;
  if (found === null) {
    return (
      <figure class="text-map">
        <figcaption>
          <h2>Pooling</h2>
        </figcaption>
        <p class="caption">
          This text tower has no tap of its pooled vector, or the network has not run yet.
        </p>
      </figure>
    );
  }
  const { state, token } = place.value;
  const { kind, shares } = found;
  const names = tokens.map(({ piece }) => shownPiece(piece));
  const rows = found.cosines.length;
  const stateNames = Array.from({ length: rows }, (_, i) => (i === 0 ? "in" : `${i - 1}`));
  const matrix = { rows, columns: tokens.length, values: found.cosines.flat() };
  return (
    <figure class="text-map">
      <figcaption>
        <h2>
          Pooling{" "}
          <small>
            {
              { mean: "mean of the tokens", token: "state of one token", other: "through a dense layer" }[
                kind
              ]
            }
          </small>
        </h2>
        <MapTools
          name="pooling"
          title="Cosine of each token (column) with the pooled vector, after each layer (row)"
          matrix={matrix}
          rowNames={stateNames}
          columnNames={names}
          drawn={() => drawnAs(matrix, "diverging", [-1, 1], "cosine with the pooled vector")}
        />
      </figcaption>
      <LabelledMap
        matrix={matrix}
        rowNames={stateNames}
        columnNames={names}
        axes={["layer", "token"]}
        map="diverging"
        range={[-1, 1]}
        title="Cosine of each token with the pooled vector, after each layer"
        cell={{ row: state, column: token }}
        onCell={({ row, column }) => {
          adjust({ state: row, token: column });
        }}
      />
      <Legend map="diverging" range={[-1, 1]} unit="cosine with the pooled vector" />
      {shares && (
        <ol class="shares" aria-label="Share of each token in the pooled vector">
          {shares.map((share, i) => (
            <li>
              <span class="piece">{names[i]}</span>
              <i style={{ width: `${Math.max(0, 60 * share)}%` }} aria-hidden="true" />
              <span class="value">{percent(share)}</span>
            </li>
          ))}
        </ol>
      )}
      {kind === "mean" && (
        <p class="caption">
          The share of a token is hᵢ · p / (n |p|²); the shares add up to 1, and can be below 0.
        </p>
      )}
    </figure>
  );
}

function Alignment({ tokens }: TokensProps) {
  const values = aligned.value;
  const at = trayTexts.value.findIndex(({ text }) => text === other.value);
  const columns = read.value?.texts[at]?.tokens ?? [];
  const { state, layers, token } = place.value;
  const matrix =
    values !== null && values.length === tokens.length * columns.length
      ? { rows: tokens.length, columns: columns.length, values }
      : null;
  return (
    <figure class="text-map">
      <figcaption>
        <h2>Alignment</h2>
        {matrix && (
          <MapTools
            name="alignment"
            title="Cosine of the tokens of two texts"
            matrix={matrix}
            rowNames={tokens.map(({ piece }) => shownPiece(piece))}
            columnNames={columns.map(({ piece }) => shownPiece(piece))}
            drawn={() => drawnAs(matrix, "diverging", [-1, 1], "cosine")}
          />
        )}
      </figcaption>
      <p class="choices">
        <label>
          with{" "}
          <select
            value={other.value}
            onChange={(event) => {
              navigate({ other: event.currentTarget.value });
            }}
          >
            {trayTexts.value.map(({ text }) => (
              <option value={text}>{text}</option>
            ))}
          </select>
        </label>
        <label>
          after{" "}
          <select
            value={state}
            onChange={(event) => {
              navigate({ state: Number(event.currentTarget.value) });
            }}
          >
            {Array.from({ length: layers + 1 }, (_, i) => (
              <option value={i}>{i === 0 ? "the embeddings" : `layer ${i - 1}`}</option>
            ))}
          </select>
        </label>
      </p>
      {matrix === null ? (
        <div class="hatched waiting" />
      ) : (
        <>
          <LabelledMap
            matrix={matrix}
            rowNames={tokens.map(({ piece }) => shownPiece(piece))}
            columnNames={columns.map(({ piece }) => shownPiece(piece))}
            axes={["this", "other"]}
            map="diverging"
            range={[-1, 1]}
            title="Cosine of the tokens of two texts"
            cell={{ row: token, column: most(matrix, token) }}
            onCell={({ row }) => {
              adjust({ token: row });
            }}
          />
          <Legend map="diverging" range={[-1, 1]} unit="cosine" />
          <p class="readout" aria-live="polite">
            “{shownPiece(tokens[token]!.piece)}” is most like{" "}
            <b>“{shownPiece(columns[most(matrix, token)]!.piece)}”</b>:{" "}
            {fixed(matrix.values[token * columns.length + most(matrix, token)]!, 3)}
          </p>
        </>
      )}
    </figure>
  );
}

/** The column of the largest value of a row. */
function most({ columns, values }: Matrix, row: number): number {
  let best = 0;
  for (let i = 1; i < columns; i++) if (values[row * columns + i]! > values[row * columns + best]!) best = i;
  return best;
}
