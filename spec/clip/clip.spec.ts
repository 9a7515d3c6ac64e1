import { strict as assert } from "node:assert";
import { cp, mkdtemp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { memory, tensor2d, tensor4d, zeros, type Rank, type Tensor2D } from "@tensorflow/tfjs-core";
import { Clip } from "../../lib/clip/clip.ts";
import { openWeights, readModelDirectory } from "../../lib/node/models/model-directory.ts";
import { l2Normalize } from "../../lib/clip/normalize.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { encodeSafetensors, SafetensorsFile, type TensorSpec } from "../../lib/tensor/safetensors.ts";
import { FileSource } from "../../lib/node/files/file-source.ts";
import { withTaps } from "../../lib/tensor/taps.ts";
import { fixture } from "../support/paths.ts";

/** Rows of every length, in no order. */
function rowsOf(lengths: readonly number[]): number[][] {
  return lengths.map((length, r) =>
    Array.from({ length }, (_, i) => (i === 0 ? 0 : i === length - 1 ? 2 : 4 + ((7 * r + 13 * i) % 190))),
  );
}

async function valuesOf(embedding: Promise<Tensor2D>): Promise<Float32Array> {
  const tensor = await embedding;
  const values = tensor.dataSync().slice() as Float32Array;
  tensor.dispose();
  return values;
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

  it("runs texts only as long as they are, with the numbers of rows padded to the context", async () => {
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
      // Grouped by length, nothing is run as long as the longest but the longest's own group.
      const sorted = rows.map((row) => row.length).sort((a, b) => a - b);
      const expected = sorted.reduce(
        (sum, _, i) => sum + sorted[Math.min(i - (i % batchSize) + batchSize, sorted.length) - 1]!,
        0,
      );
      assert.equal(computed, expected);
    }
  });

  it("pays no attention to padding inside a row", async () => {
    const [row = []] = rowsOf([8]);
    const gap = [...row.slice(0, 4), 1, 1, ...row.slice(4)];
    const without = await valuesOf(model.encodeTokens([row]));
    const within = await valuesOf(model.encodeTokens([gap]));
    assert.ok(compare(within, without).relativeL2 < 2e-6);
  });

  it("refuses rows without tokens, beyond the context, outside the vocabulary, and no rows", async () => {
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
      [[[0, 200, 2]], /id 200 is outside the table of 200 rows: does the tokenizer belong to this model\?/],
    ];
    const before = memory().numTensors;
    for (const [rows, message] of refused) {
      await assert.rejects(model.encodeTokens(rows), (error: unknown) => {
        assert.ok(error instanceof InputError, String(error));
        assert.match(error.message, message);
        return true;
      });
    }
    assert.equal(memory().numTensors, before, "a refusal leaves no tensor behind");
  });

  it("loads a model whose context is longer than its positions, and refuses only a text that is too long", async () => {
    const directory = fixture("tiny/gelu-mlp");
    const { config, preprocess } = await readModelDirectory(directory);
    const { positions, padId } = config.text.kind === "xlm-roberta" ? config.text.roberta : assert.fail();
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

  it("keeps a row of zeros, as torch.nn.functional.normalize does", () => {
    const rows = l2Normalize(tensor2d([0, 0, 3, 4], [2, 2])).dataSync();
    assert.deepEqual([...rows], [0, 0, 3 / 5, 4 / 5].map(Math.fround));
  });

  it("normalises where it is asked to", async () => {
    const values = await valuesOf(model.encodeTokens(rowsOf([6]), { normalize: true }));
    assert.ok(Math.abs(Math.hypot(...values) - 1) < 1e-6);
  });
});

describe("encodeImage", () => {
  let model: Clip;
  before(async () => {
    model = await loadModel(fixture("tiny/gelu-mlp"));
  });
  after(() => model.dispose());

  it("refuses pixels of another size, and says which it wants", async () => {
    const pixels = zeros<Rank.R4>([1, 3, 28, 28]);
    await assert.rejects(
      model.encodeImage(pixels),
      /expected pixels of the shape \[B, 3, 28, 42\], got \[1,3,28,28\]/,
    );
    pixels.dispose();
  });

  it("gives each image of a batch what it has alone", async () => {
    const size = 3 * 28 * 42;
    const values = Float32Array.from({ length: 2 * size }, (_, i) => Math.sin(i));
    const run = async (from: number, count: number): Promise<Float32Array> => {
      const pixels = tensor4d(values.subarray(from * size, (from + count) * size), [count, 3, 28, 42]);
      const features = await valuesOf(model.encodeImage(pixels));
      pixels.dispose();
      return features;
    };
    const both = await run(0, 2);
    assert.ok(compare(await run(1, 1), both.subarray(24)).relativeL2 < 2e-6);
  });
});

describe("loadModel", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "clipscope-"));
    await cp(fixture("tiny/gelu-mlp"), folder, { recursive: true });
  });
  afterEach(() => rm(folder, { recursive: true }));

  const weights = (): string => join(folder, "open_clip_model.safetensors");

  /** Rewrites the weights file with some tensors changed. */
  async function rewrite(
    change: (tensors: (TensorSpec & { bytes: Uint8Array })[]) => (TensorSpec & { bytes: Uint8Array })[],
  ): Promise<void> {
    const file = await SafetensorsFile.open(await FileSource.open(weights()));
    const tensors = await Promise.all(
      [...file.tensors].map(async ([name, { dtype, shape }]) => ({
        name,
        dtype,
        shape,
        bytes: await file.read(name),
      })),
    );
    await file.close();
    await writeFile(weights(), encodeSafetensors(change(tensors)));
  }

  async function refused(message: RegExp, options = {}): Promise<readonly string[]> {
    const before = memory().numTensors;
    let details: readonly string[] = [];
    await assert.rejects(loadModel(folder, options), (error: unknown) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      details = error.details;
      return true;
    });
    assert.equal(memory().numTensors, before);
    return details;
  }

  it("passes over the position_ids and the masks that old files carry", async () => {
    const buffers = ["text.transformer.embeddings.position_ids", "attn_mask", "text.attn_mask"].map(
      (name) => ({ name, dtype: "I64", shape: [1, 2], bytes: new Uint8Array(16) }) as const,
    );
    await rewrite((tensors) => [...tensors, ...buffers]);
    await (await loadModel(folder)).dispose();
  });

  it("lists whole what is missing, misshapen and unexpected", async () => {
    await rewrite((tensors) =>
      tensors
        .filter(({ name }) => name !== "logit_scale")
        .map((tensor) =>
          tensor.name === "visual.proj" ? { ...tensor, shape: tensor.shape.toReversed() } : tensor,
        )
        .concat({ name: "visual.extra", dtype: "F32", shape: [], bytes: new Uint8Array(4) }),
    );
    const details = await refused(/open_clip_model.safetensors: 3 tensors do not fit the architecture/);
    assert.deepEqual(details, [
      "wrong shape visual.proj: expected [40, 24], found [24, 40]",
      "missing     logit_scale []",
      "unexpected  visual.extra []",
    ]);
  });

  it("refuses weights of another architecture", async () => {
    const details = await refused(/do not fit the architecture/, { arch: "xlm-roberta-base-ViT-B-32" });
    assert.ok(details.length > 100);
  });

  it("refuses weights that are integers", async () => {
    await rewrite((tensors) =>
      tensors.map((tensor) => (tensor.name === "logit_scale" ? { ...tensor, dtype: "I32" } : tensor)),
    );
    const details = await refused(/1 tensor does not fit the architecture/);
    assert.deepEqual(details, ["wrong dtype logit_scale: expected F32, F16, BF16, F64, found I32"]);
  });

  it("refuses a truncated, a missing and an empty weights file", async () => {
    const bytes = await readFile(weights());
    await writeFile(weights(), bytes.subarray(0, bytes.length - 5));
    await refused(/cut short/);
    await writeFile(weights(), "");
    await refused(/expected at least 8 bytes, found 0/);
    await rm(weights());
    await refused(/no weights: expected one of open_clip_model.safetensors, /);
  });

  it("takes model.safetensors too, and keeps or streams weights as asked", async () => {
    await rename(weights(), join(folder, "model.safetensors"));
    for (const [asked, residency] of [
      [undefined, "resident"],
      ["resident", "resident"],
      ["streamed", "streamed"],
    ] as const) {
      const model = await loadModel(folder, asked && { residency: asked });
      assert.equal(model.weights.residency, residency);
      await model.dispose();
    }
  });

  it("refuses a folder that is none, or no model", async () => {
    await rm(join(folder, "open_clip_config.json"));
    await refused(/no open_clip_config.json; add the file or name the architecture/);
    await assert.rejects(loadModel(weights()), /expected a model directory, found a file/);
    await assert.rejects(loadModel(join(folder, "nothing")), /nothing: no such file or folder/);
  });

  it("refuses a config that is not JSON, and names the file", async () => {
    await writeFile(join(folder, "open_clip_config.json"), "{");
    await refused(/open_clip_config.json: not valid JSON/);
  });

  it("reads no text network outside the model directory", async () => {
    const config = JSON.parse(await readFile(join(folder, "open_clip_config.json"), "utf8")) as {
      model_cfg: { text_cfg: object };
    };
    Object.assign(config.model_cfg.text_cfg, { hf_model_name: `../${folder.split("/").at(-1) ?? ""}/text` });
    await writeFile(join(folder, "open_clip_config.json"), JSON.stringify(config));
    await refused(/hf_model_name to be a folder of the model directory/);
  });

  it("says that a tokenizer is missing when the first text comes, not before", async () => {
    const model = await loadModel(folder);
    await assert.rejects(
      model.encodeText(["a cat"]),
      /no tokenizer: expected tokenizer.json or sentencepiece.bpe.model in /,
    );
    await model.dispose();
  });
});

describe("sharded weights", () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), "clipscope-"));
    await cp(fixture("tiny/no-projection"), folder, { recursive: true });
  });
  afterEach(() => rm(folder, { recursive: true }));

  async function refused(
    change: (weightMap: Record<string, unknown>) => void,
    message: RegExp,
  ): Promise<void> {
    const path = join(folder, "open_clip_model.safetensors.index.json");
    const index = JSON.parse(await readFile(path, "utf8")) as { weight_map: Record<string, unknown> };
    change(index.weight_map);
    await writeFile(path, JSON.stringify(index));
    await assert.rejects(loadModel(folder), (error: unknown) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      return true;
    });
  }

  it("name shards beside the index alone", () =>
    refused(
      (map) => (map["logit_scale"] = "../elsewhere.safetensors"),
      /to be a .safetensors file next to the index/,
    ));
  it("must all be there", () =>
    refused((map) => (map["logit_scale"] = "third.safetensors"), /third.safetensors: no such file/));
  it("must hold what the index says", () =>
    refused((map) => (map["more"] = map["logit_scale"]), /no tensor "more" among its/));
  it("must hold nothing else", () =>
    refused((map) => delete map["logit_scale"], /1 tensors of its shards are not in the index/));
});
