import assert from "node:assert/strict";
import { cp, mkdir, readdir, writeFile } from "node:fs/promises";
import { encodeSafetensors, type TensorSpec } from "../../lib/tensor/safetensors.ts";
import type { TensorDifference } from "../../lib/tensor/diff.ts";
import type { TensorStatistics } from "../../lib/tensor/statistics.ts";
import { clipscope } from "../support/cli.ts";
import { fixture } from "../support/paths.ts";
import { temporaryFolder } from "../support/temporary.ts";

const arch = "xlm-roberta-large-ViT-H-14";

interface Inspected {
  readonly parameters: number;
  readonly gflops: { readonly image: number; readonly text: number } | null;
  readonly tensors: readonly (TensorSpec & { offset: number; stats?: TensorStatistics | null })[];
}

describe("clipscope inspect", () => {
  const folder = temporaryFolder();

  const inspect = async (...args: string[]): Promise<Inspected> => {
    const { status, stdout, stderr } = await clipscope(["inspect", ...args, "--json"]);
    assert.deepEqual([status, stderr], [0, ""]);
    return JSON.parse(stdout) as Inspected;
  };

  it("knows an architecture without weights: the published totals", async () => {
    const { parameters, gflops, tensors } = await inspect("--arch", arch);
    assert.equal(parameters, 1_193_014_785);
    assert.equal(tensors.length, 784);
    assert.deepEqual([gflops!.image.toFixed(1), gflops!.text.toFixed(1)], ["334.6", "47.1"]);
    const long = await inspect("--arch", arch, "--text-length", "514");
    assert.equal(long.gflops!.text.toFixed(1), "336.4");
  });

  it("counts at other image sizes", async () => {
    const { gflops } = await inspect("--arch", "ViT-B-32", "--image-size", "64x96");
    // Tokens: 2 × 3 patches and the class; per block 12 width² a token and 2 width a pair of tokens.
    const [width, tokens] = [768, 7];
    const blocks = 12 * (12 * width ** 2 * tokens + 2 * width * tokens ** 2);
    const expected = 2 * (blocks + 6 * 3 * 32 ** 2 * width + width * 512);
    assert.equal(gflops!.image, expected / 1e9);
    const { status, stderr } = await clipscope(["inspect", "--arch", arch, "--image-size", "big"]);
    assert.equal(status, 2);
    assert.match(stderr, /Expected pixels, such as 336 or 224x448/);
  });

  it("fits an 80-column terminal: the same blocks stand once, --depth shows less", async () => {
    const { stdout } = await clipscope(["inspect", "--arch", arch], { columns: 80 });
    const lines = stdout.split("\n");
    assert.ok(lines.every((line) => line.length <= 80));
    assert.ok(lines.length < 90);
    assert.match(stdout, /^ {4}0 … 31 +32 × +19,677,440 +10\.44 GFLOPs$/m);
    assert.match(
      stdout,
      /^1,193,014,785 parameters in 784 tensors\nimage 334\.6 GFLOPs, text 47\.09 GFLOPs$/m,
    );
    const shallow = await clipscope(["inspect", "--arch", arch, "--depth", "1"], { columns: 80 });
    assert.equal(shallow.stdout.split("\n").length, 8);
  });

  it("shows a model directory, a PyTorch file, shards; a bare file has no GFLOPs", async () => {
    const directory = await inspect(fixture("tiny/no-projection"));
    assert.equal(directory.parameters, 36753);
    assert.ok(directory.gflops !== null);
    const file = await inspect(fixture("checkpoints/training.pt"));
    // position_ids is no parameter.
    assert.equal(file.parameters, 36753);
    assert.equal(file.gflops, null);
    assert.ok(file.tensors.every(({ offset }) => offset > 0));
    assert.equal(file.tensors.find(({ name }) => name.endsWith("position_ids"))?.dtype, "I64");
    // The length of this one's header begins with 0x80, as pickles do.
    const golden = await inspect(fixture("tiny/gelu-mlp/golden.safetensors"));
    assert.equal(golden.gflops, null);
  });

  it("--stats: range, mean and spread of finite numbers, and what is not finite", async () => {
    const values = Float32Array.of(1, 2, 3, 6, NaN, Infinity, -Infinity, Infinity);
    const large = Float32Array.of(1e6 + 1, 1e6 + 2, 1e6 + 3);
    await writeFile(
      folder.file("numbers.safetensors"),
      encodeSafetensors([
        { name: "few", dtype: "F32", shape: [8], bytes: new Uint8Array(values.buffer) },
        { name: "large", dtype: "F32", shape: [3], bytes: new Uint8Array(large.buffer) },
        { name: "ids", dtype: "I64", shape: [2], bytes: new Uint8Array(BigInt64Array.of(-5n, 5n).buffer) },
        { name: "none", dtype: "F16", shape: [0], bytes: new Uint8Array() },
        { name: "complex", dtype: "C64", shape: [1], bytes: new Uint8Array(8) },
      ]),
    );
    const { tensors } = await inspect(folder.file("numbers.safetensors"), "--stats");
    const stats = Object.fromEntries(tensors.map(({ name, stats }) => [name, stats]));
    assert.deepEqual(stats["few"], { min: 1, max: 6, mean: 3, std: Math.sqrt(3.5), nan: 1, infinite: 3 });
    assert.ok(Math.abs(stats["large"]!.std! - Math.sqrt(2 / 3)) < 1e-9);
    assert.deepEqual(stats["ids"], { min: -5, max: 5, mean: 0, std: 5, nan: 0, infinite: 0 });
    assert.deepEqual(stats["none"], { min: null, max: null, mean: null, std: null, nan: 0, infinite: 0 });
    assert.equal(stats["complex"], null);
    const { stdout } = await clipscope(["inspect", folder.file("numbers.safetensors"), "--stats"]);
    assert.match(stdout, /^few +1\.000 +6\.000 +3\.000 +1\.871 +1 +3$/m);
  });

  it("says what does not fit the config", async () => {
    const { stdout } = await clipscope([
      "inspect",
      fixture("tiny/gelu-mlp"),
      "--arch",
      "ViT-B-32",
      "--depth",
      "1",
    ]);
    assert.match(stdout, /does not fit: missing {5}token_embedding\.weight \[49408, 512\]/);
  });
});

describe("clipscope diff", () => {
  const folder = temporaryFolder();

  interface Compared {
    readonly same: boolean;
    readonly tensors: readonly TensorDifference[];
  }

  const write = (name: string, tensors: Record<string, readonly number[]>): Promise<void> =>
    writeFile(
      folder.file(name),
      encodeSafetensors(
        Object.entries(tensors).map(([tensor, values]) => ({
          name: tensor,
          dtype: "F32",
          shape: [values.length],
          bytes: new Uint8Array(Float32Array.from(values).buffer),
        })),
      ),
    );

  it("tells identical, rounded, different by how much, other shapes, one side only", async () => {
    await write("a.safetensors", { same: [1, NaN], moved: [3, 4, 0], shape: [1], a: [1], "visual.x": [0] });
    await write("b.safetensors", {
      same: [1, NaN],
      moved: [3, 4, 1],
      shape: [1, 2],
      b: [1],
      "visual.x": [0],
    });
    const paths = [folder.file("a.safetensors"), folder.file("b.safetensors")];
    const { status, stdout } = await clipscope(["diff", ...paths, "--json"]);
    assert.equal(status, 1);
    const { same, tensors } = JSON.parse(stdout) as Compared;
    assert.equal(same, false);
    const kinds = Object.fromEntries(tensors.map(({ name, kind }) => [name, kind]));
    assert.deepEqual(kinds, {
      same: "identical",
      moved: "different",
      shape: "shape",
      a: "only-a",
      b: "only-b",
      "visual.x": "identical",
    });
    const moved = tensors.find(({ name }) => name === "moved")!;
    assert.deepEqual([moved.maxAbs, moved.relativeL2, moved.differing], [1, Math.sqrt(1 / 26), 1]);
    const text = await clipscope(["diff", ...paths]);
    assert.match(text.stdout, /^moved: 1 numbers differ, relative L2 1\.96e-1, largest 1\.00e\+0$/m);
    const tower = await clipscope(["diff", ...paths, "--prefix", "visual."]);
    assert.deepEqual([tower.status, tower.stdout], [0, "1 identical\n"]);
    const nothing = await clipscope(["diff", ...paths, "--prefix", "vision."]);
    assert.equal(nothing.status, 2);
  });

  it("leaves out the buffers of old files that no layer reads", async () => {
    // training.pt has text.transformer.embeddings.position_ids, exported.pt has not.
    const paths = [fixture("checkpoints/training.pt"), fixture("checkpoints/exported.pt")];
    assert.deepEqual(await clipscope(["diff", ...paths]), {
      status: 0,
      stdout: "42 identical\nnot compared, for no layer reads it: text.transformer.embeddings.position_ids\n",
      stderr: "",
    });
    const { stdout } = await clipscope(["diff", ...paths, "--json"]);
    const { same, ignored } = JSON.parse(stdout) as Compared & { ignored: string[] };
    assert.deepEqual([same, ignored], [true, ["text.transformer.embeddings.position_ids"]]);
  });

  it("a model and its conversion to fewer bits are equal after rounding", async () => {
    const model = fixture("tiny/gelu-mlp");
    for (const dtype of ["f16", "bf16"]) {
      await clipscope(["convert", model, folder.file(dtype), "--dtype", dtype]);
      for (const pair of [
        [model, folder.file(dtype)],
        [folder.file(dtype), model],
      ] as const) {
        assert.deepEqual(await clipscope(["diff", ...pair]), {
          status: 0,
          stdout: "100 equal after rounding\n",
          stderr: "",
        });
      }
    }
  });
});

describe("clipscope convert", () => {
  const folder = temporaryFolder();

  it("says what it did", async () => {
    const source = folder.file("source");
    await mkdir(source);
    await cp(fixture("tiny/no-projection/open_clip_config.json"), `${source}/open_clip_config.json`);
    await cp(fixture("tiny/no-projection/text"), `${source}/text`, { recursive: true });
    await cp(fixture("checkpoints/training.pt"), `${source}/epoch_3.pt`);
    const args = ["convert", `${source}/epoch_3.pt`, folder.file("model"), "--dtype", "f16"];
    const { status, stdout, stderr } = await clipscope(args);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.match(stdout, /^source {8}.*epoch_3\.pt \(zip\)\narchitecture {2}as the config beside it says\n/);
    assert.match(stdout, /^tensors {7}42 \(42 F16\), 36,753 parameters$/m);
    assert.match(stdout, /^rounded {7}0 overflowed, 17 became subnormal or zero$/m);
    assert.match(stdout, /^dropped {7}text\.transformer\.embeddings\.position_ids$/m);
    assert.match(stdout, /^came along {4}open_clip_config\.json, text\/config\.json$/m);
    const again = await clipscope(args);
    assert.equal(again.status, 2);
    assert.match(again.stderr, /^clipscope: .*model: is there already; --force replaces it\n$/);
    assert.equal((await clipscope([...args, "--force", "--json"])).status, 0);
    assert.deepEqual((await readdir(folder.path)).sort(), ["model", "source"]);
  });

  it("refuses what is no checkpoint", async () => {
    for (const [content, message] of [
      ["hello", /not a valid safetensors file/],
      ["PK\x03\x04 and so on", /a damaged zip file/],
      ["\x80\x02K\x01.", /a pickle, but not PyTorch's/],
    ] as const) {
      await writeFile(folder.file("strange.bin"), content, "latin1");
      const { status, stderr } = await clipscope([
        "convert",
        folder.file("strange.bin"),
        folder.file("model"),
      ]);
      assert.equal(status, 2);
      assert.match(stderr, message);
    }
    const { stderr } = await clipscope(["convert", "nowhere.pt", folder.file("model")]);
    assert.equal(stderr, "clipscope: nowhere.pt: no such file or folder\n");
  });
});
