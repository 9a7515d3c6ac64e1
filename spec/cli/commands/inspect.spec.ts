import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { encodeSafetensors, type TensorSpec } from "../../../lib/tensor/safetensors.ts";
import type { TensorStatistics } from "../../../lib/tensor/statistics.ts";
import { clipscope } from "../../support/cli.ts";
import { fixture } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

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

  it("counts the parameters and GFLOPs of an architecture without weights", async () => {
    const { parameters, gflops, tensors } = await inspect("--arch", arch);
    assert.equal(parameters, 1_193_014_785);
    assert.equal(tensors.length, 784);
    assert.deepEqual([gflops!.image.toFixed(1), gflops!.text.toFixed(1)], ["334.6", "47.1"]);
    const long = await inspect("--arch", arch, "--text-length", "514");
    assert.equal(long.gflops!.text.toFixed(1), "336.4");
  });

  it("counts GFLOPs at other image sizes", async () => {
    const { gflops } = await inspect("--arch", "ViT-B-32", "--image-size", "64x96");
    // Tokens: 2 × 3 patches and the class token. Each block: 12 width² per token, 2 width per pair of tokens.
    const [width, tokens] = [768, 7];
    const blocks = 12 * (12 * width ** 2 * tokens + 2 * width * tokens ** 2);
    const expected = 2 * (blocks + 6 * 3 * 32 ** 2 * width + width * 512);
    assert.equal(gflops!.image, expected / 1e9);
    const { status, stderr } = await clipscope(["inspect", "--arch", arch, "--image-size", "big"]);
    assert.equal(status, 2);
    assert.match(stderr, /Expected pixels, such as 336 or 224x448/);
  });

  it("fits an 80-column terminal: shows equal blocks once, and fewer levels with --depth", async () => {
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

  it("names the columns that do not fit a narrow terminal", async () => {
    const model = fixture("tiny/quickgelu-linear");
    const { stdout } = await clipscope(["inspect", model, "--depth", "2"], { columns: 40 });
    assert.match(
      stdout,
      /\n\ntoo narrow to show\n {2}parameters, GFLOPs, dtype, offset\n\n67,041 parameters/,
    );
    const [, ...lines] = stdout.split("\n");
    for (const line of lines.slice(0, -3)) assert.ok(line.length <= 40, line);
    const wide = await clipscope(["inspect", model, "--depth", "2"], { columns: 80 });
    assert.doesNotMatch(wide.stdout, /too narrow/);
    const stats = await clipscope(["inspect", model, "--stats"], { columns: 70 });
    for (const line of stdout.split("\n").slice(1)) assert.ok(line.length <= 70, line);
    assert.match(stats.stdout, /^….*\.weight +-/m);
  });

  it("--stats refuses a model without weights", async () => {
    assert.deepEqual(await clipscope(["inspect", "--stats", "--arch", arch]), {
      status: 2,
      stdout: "",
      stderr: `clipscope: --stats: ${arch} has no weights; pass a model directory or a weights file\n`,
    });
    assert.equal((await clipscope(["inspect", "--stats", fixture("demo-model"), "--json"])).status, 0);
  });

  it("takes a model directory, a PyTorch file or shards; a bare file has no GFLOPs", async () => {
    const directory = await inspect(fixture("tiny/no-projection"));
    assert.equal(directory.parameters, 36753);
    assert.ok(directory.gflops !== null);
    const file = await inspect(fixture("checkpoints/training.pt"));
    // position_ids is not a parameter.
    assert.equal(file.parameters, 36753);
    assert.equal(file.gflops, null);
    assert.ok(file.tensors.every(({ offset }) => offset > 0));
    assert.equal(file.tensors.find(({ name }) => name.endsWith("position_ids"))?.dtype, "I64");
    // The header length of this file starts with 0x80, like a pickle.
    const golden = await inspect(fixture("tiny/gelu-mlp/golden.safetensors"));
    assert.equal(golden.gflops, null);
  });

  it("--stats shows range, mean and deviation of finite numbers, and counts the others", async () => {
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

  it("lists tensors that do not fit the config", async () => {
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

  it("says what a file is that holds no weights", async () => {
    const { status, stderr } = await clipscope(["inspect", "fixtures/images/png-rgb8.png"]);
    assert.equal(status, 2);
    assert.equal(
      stderr,
      "clipscope: fixtures/images/png-rgb8.png: expected weights (safetensors or a PyTorch file), found an image (PNG)\n",
    );
  });
});
