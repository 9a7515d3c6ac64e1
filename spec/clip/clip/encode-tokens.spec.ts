import { strict as assert } from "node:assert";
import { memory } from "@tensorflow/tfjs-core";
import { Clip } from "../../../lib/clip/clip.ts";
import { readModelDirectory } from "../../../lib/node/models/model-directory.ts";
import { openWeights } from "../../../lib/node/models/weights-file.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { compare } from "../../../lib/tensor/compare.ts";
import { InputError } from "../../../lib/errors/input-error.ts";
import { withTaps } from "../../../lib/tensor/taps.ts";
import { fixture } from "../../support/paths.ts";
import { valuesOf } from "../../support/values.ts";

/** Rows of the given lengths: `<s>`, words, `</s>`. */
function rowsOf(lengths: readonly number[]): number[][] {
  return lengths.map((length, r) =>
    Array.from({ length }, (_, i) => (i === 0 ? 0 : i === length - 1 ? 2 : 4 + ((7 * r + 13 * i) % 190))),
  );
}

describe("encodeTokens", () => {
  let model: Clip;
  before(async () => {
    model = await loadModel(fixture("tiny/gelu-mlp"));
  });
  after(() => model.dispose());

  const padded = (row: readonly number[], length: number): number[] => [
    ...row,
    ...Array<number>(length - row.length).fill(1),
  ];

  it("pads each batch to its longest row only, with the same embeddings as rows padded to the context", async () => {
    const rows = rowsOf([5, 77, 3, 12, 9, 2, 30, 12, 4, 6]);
    const whole = await valuesOf(
      model.encodeTokens(
        rows.map((row) => padded(row, 77)),
        { batchSize: 100 },
      ),
    );
    for (const batchSize of [1, 3, 4]) {
      let computed = 0;
      const grouped = await withTaps(
        (tap, { shape: [batch = 0, length = 0] }) => {
          if (tap === "text.transformer.embeddings") computed += batch * length;
        },
        () => valuesOf(model.encodeTokens(rows, { batchSize })),
      );
      for (const [i] of rows.entries()) {
        const slice = (values: Float32Array): Float32Array => values.subarray(i * 24, (i + 1) * 24);
        const { relativeL2 } = compare(slice(grouped), slice(whole));
        assert.ok(relativeL2 < 2e-6, `row ${i} in batches of ${batchSize}: ${relativeL2}`);
      }
      // Rows are grouped by length, so that only the last batch is as long as the longest row.
      const sorted = rows.map((row) => row.length).sort((a, b) => a - b);
      const expected = sorted.reduce(
        (sum, _, i) => sum + sorted[Math.min(i - (i % batchSize) + batchSize, sorted.length) - 1]!,
        0,
      );
      assert.equal(computed, expected);
    }
  });

  it("ignores padding inside a row", async () => {
    const [row = []] = rowsOf([8]);
    const gap = [...row.slice(0, 4), 1, 1, ...row.slice(4)];
    const without = await valuesOf(model.encodeTokens([row]));
    const within = await valuesOf(model.encodeTokens([gap]));
    assert.ok(compare(within, without).relativeL2 < 2e-6);
  });

  it("refuses rows without tokens, beyond the context, or outside the vocabulary, and no rows", async () => {
    const refused: [number[][], RegExp][] = [
      [[], /at least one text/],
      [
        [
          [0, 5, 2],
          [1, 1, 1],
        ],
        /row 1 of the token ids has no token, expected at least one/,
      ],
      [[[]], /row 0 of the token ids has no token/],
      [[Array<number>(78).fill(5)], /row 0 has 78 ids, the context holds 77/],
      [
        [
          [0, 2],
          [0, 5.5, 2],
        ],
        /row 1 of the token ids holds 5.5, expected whole numbers/,
      ],
      [[[0, NaN, 2]], /row 0 of the token ids holds NaN/],
      [[[0, 2 ** 32 + 5, 2]], /row 0 of the token ids holds 4294967301/],
      [
        [[0, 200, 2]],
        /id 200 is outside the table of 200 rows: check that the tokenizer belongs to this model/,
      ],
    ];
    const before = memory().numTensors;
    for (const [rows, message] of refused) {
      await assert.rejects(model.encodeTokens(rows), (error: unknown) => {
        assert.ok(error instanceof InputError, String(error));
        assert.match(error.message, message);
        return true;
      });
    }
    assert.equal(memory().numTensors, before, "a tensor is left");
  });

  it("takes any text that has a position for each token, even if the context is longer", async () => {
    const directory = fixture("tiny/gelu-mlp");
    const { config, preprocess } = await readModelDirectory(directory);
    const { positions, padId } = config.text.kind === "xlm-roberta" ? config.text.network : assert.fail();
    const most = positions - padId - 1;
    const wide = new Clip({
      config: { ...config, text: { ...config.text, contextLength: most + 10 } },
      preprocess,
      store: await openWeights(directory),
      loadTokenizer: () => Promise.reject(new Error("not used")),
    });
    const row = rowsOf([most]);
    const expected = await valuesOf(model.encodeTokens(row.map((ids) => ids.slice(0, 77))));
    assert.equal((await valuesOf(wide.encodeTokens(row))).length, expected.length);
    assert.equal((await valuesOf(wide.encodeTokens([padded(row[0]!, most + 10)]))).length, expected.length);
    await assert.rejects(
      wide.encodeTokens(rowsOf([most + 1])),
      /row 0 of the token ids has 79 tokens, the text network has positions for 78; shorten the text/,
    );
    await wide.dispose();
  });

  it("normalises on request", async () => {
    const values = await valuesOf(model.encodeTokens(rowsOf([6]), { normalize: true }));
    assert.ok(Math.abs(Math.hypot(...values) - 1) < 1e-6);
  });

  it("refuses a batch size below 1", async () => {
    await assert.rejects(
      model.encodeTokens(rowsOf([4]), { batchSize: 0 }),
      /encodeTokens: batchSize: expected a whole number of at least 1, found the number 0/,
    );
  });

  it("emits text_features only if it normalises", async () => {
    const names = async (normalize: boolean): Promise<string[]> => {
      const names: string[] = [];
      await withTaps(
        (name) => names.push(name),
        () => valuesOf(model.encodeTokens(rowsOf([4]), { normalize })),
      );
      return names.slice(-2);
    };
    assert.deepEqual(await names(true), ["text", "text_features"]);
    assert.deepEqual(await names(false), ["text.proj", "text"]);
  });
});
