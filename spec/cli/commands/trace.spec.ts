import { strict as assert } from "node:assert";
import { mkdir, readdir, readFile, writeFile } from "node:fs/promises";
import { memory } from "@tensorflow/tfjs-core";
import { Jimp } from "jimp";
import { FileSource } from "../../../lib/node/files/file-source.ts";
import { demoModel } from "../../../lib/node/models/model-directory.ts";
import { SafetensorsFile } from "../../../lib/tensor/safetensors.ts";
import { readFloat32, readIntegers } from "../../../lib/tensor/store.ts";
import { clipscope, type Result } from "../../support/cli.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const image = `${demoModel}/samples/two-red-circles.png`;
const text = "two red circles";

describe("clipscope trace", () => {
  const folder = temporaryFolder();

  const trace = (...args: string[]): Promise<Result> => clipscope(["trace", "--backend", "wasm", ...args]);

  /** Runs a trace into a file and opens it. */
  async function traced(...args: string[]): Promise<SafetensorsFile> {
    const out = folder.file("trace.safetensors");
    const { status, stderr } = await trace(...args, "--out", out);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.deepEqual(await readdir(folder.path), ["trace.safetensors"], "no other file is left");
    return SafetensorsFile.open(await FileSource.open(out));
  }

  it("writes a golden file that verify accepts: all modules' outputs and the inputs", async () => {
    const before = memory().numTensors;
    const file = await traced("--image", image, "--text", text);
    assert.equal(memory().numTensors, before);
    await file.close();
    for (const [name, { dtype }] of file.tensors) {
      assert.equal(dtype, name === "input.text" ? "I64" : "F32");
      assert.ok(!name.includes("#"), name);
    }
    assert.deepEqual(file.tensors.get("input.text")?.shape, [1, 77]);
    assert.deepEqual(file.tensors.get("input.image")?.shape, [1, 3, 84, 84]);
    assert.deepEqual(file.tensors.get("visual.conv1")?.shape, [1, 96, 6, 6]);
    assert.match(file.metadata["backend"] ?? "", /^wasm/);
    const { status, stdout } = await clipscope([
      "verify",
      "--golden",
      file.name,
      "--tolerance",
      "1e-9",
      "--json",
    ]);
    const report = JSON.parse(stdout) as { taps: { relativeL2: number }[] };
    assert.equal(status, 0);
    assert.equal(report.taps.length, file.tensors.size - 2);
    assert.ok(report.taps.every(({ relativeL2 }) => relativeL2 === 0));
  });

  it("pads ids with the tokenizer's padding id", async () => {
    const file = await traced("--text", text, "--taps", "input.*");
    const ids = await readIntegers(file, "input.text");
    await file.close();
    const { stdout } = await clipscope(["tokenize", text, "--json"]);
    const [{ ids: expected }] = JSON.parse(stdout) as [{ ids: number[] }];
    assert.deepEqual(ids, [...expected, ...Array<number>(77 - expected.length).fill(1)]);
    assert.deepEqual([...file.tensors.keys()], ["input.text"]);
  });

  it("writes the taps that match: * includes dots, # must be in the glob", async () => {
    const names = async (...globs: string[]): Promise<string[]> => {
      const file = await traced("--image", image, ...globs.flatMap((glob) => ["--taps", glob]));
      await file.close();
      return [...file.tensors.keys()];
    };
    const blocks = [0, 1, 2, 3].map((i) => `visual.transformer.resblocks.${i}`);
    assert.deepEqual(await names("visual.transformer.resblocks.?"), blocks);
    assert.deepEqual(await names("*mlp", "visual"), [...blocks.map((block) => `${block}.mlp`), "visual"]);
    assert.deepEqual(
      await names("*#probabilities"),
      blocks.map((block) => `${block}.attn#probabilities`),
    );
    assert.deepEqual(await names("*#positioned"), ["visual#positioned"]);
  });

  it("runs only the towers that the globs need", async () => {
    // Weights that cannot be read, and a folder without a tokenizer.
    const model = folder.file("model");
    await mkdir(model);
    for (const name of ["open_clip_config.json", "text/config.json"]) {
      await mkdir(folder.file("model", name, ".."), { recursive: true });
      await writeFile(folder.file("model", name), await readFile(`${demoModel}/${name}`));
    }
    const out = folder.file("pixels.safetensors");
    const { status, stderr } = await trace(
      ...["--model", model, "--image", image, "--taps", "input.image", "--out", out],
    );
    assert.deepEqual([status, stderr], [0, ""]);
    const file = await SafetensorsFile.open(await FileSource.open(out));
    assert.deepEqual([...file.tensors.keys()], ["input.image"]);
    await file.close();
    const weights = await trace("--model", model, "--image", image, "--out", out);
    assert.equal(weights.status, 2);
    assert.match(weights.stderr, /no weights/);
    const tokenizer = await trace("--model", model, "--text", text, "--taps", "input.text", "--out", out);
    assert.match(tokenizer.stderr, /no tokenizer/);
  });

  it("writes attention rows that sum to 1", async () => {
    const file = await traced("--image", image, "--taps", "*resblocks.2.attn#probabilities");
    const [name] = [...file.tensors.keys()];
    assert.deepEqual(file.tensors.get(name!)?.shape, [1, 4, 37, 37]);
    const values = await readFloat32(file, name!);
    await file.close();
    for (let row = 0; row < 4 * 37; row++) {
      const sum = values.subarray(row * 37, (row + 1) * 37).reduce((a, b) => a + b, 0);
      assert.ok(Math.abs(sum - 1) < 1e-5, `row ${row}: ${sum}`);
    }
  });

  it("--stats prints figures by depth and writes no file", async () => {
    const { status, stdout } = await trace("--image", image, "--stats", "--json", "--taps", "visual*");
    assert.equal(status, 0);
    const rows = JSON.parse(stdout) as { name: string; shape: number[]; norm: number; kurtosis: number }[];
    assert.equal(rows[0]?.name, "visual.conv1");
    assert.equal(rows.at(-1)?.name, "visual");
    const { stdout: features } = await trace(
      "--image",
      image,
      "--stats",
      "--json",
      "--taps",
      "image_features",
    );
    const [row] = JSON.parse(features) as { norm: number }[];
    assert.ok(Math.abs(row!.norm - 1) < 1e-6);
    const table = await clipscope(["trace", "--image", image, "--stats"], {
      columns: 70,
      env: { NO_COLOR: "1" },
    });
    assert.match(table.stdout, /^tap +mean +std +norm +kurtosis +zeros\n/);
    for (const line of table.stdout.split("\n")) assert.ok(line.length <= 70, line);
    assert.deepEqual(await readdir(folder.path), []);
  });

  it("--figures draws attention, weights, and the classification after each layer", async () => {
    const figures = folder.file("study");
    const args = ["--image", image, "--figures", figures, "--labels", "two red circles,a green star"];
    const { status, stdout, stderr } = await trace(...args, "--layer", "1", "--head", "2", "--json");
    assert.deepEqual([status, stderr], [0, ""]);
    const { files, answers } = JSON.parse(stdout) as { files: string[]; answers: number[][] };
    assert.deepEqual(
      files.map((file) => file.slice(figures.length + 1)),
      [
        "attention-layer-1-head-2.png",
        "attention-rollout.png",
        "patch-filters.png",
        "position-similarity.png",
        "layer-answers.png",
      ],
    );
    assert.equal(answers.length, 4);
    assert.ok(answers.every((layer) => Math.abs(layer[0]! + layer[1]! - 1) < 1e-5));
    // The classification after the last layer is the model's own.
    const classified = await clipscope([
      "classify",
      image,
      "--backend",
      "wasm",
      "--labels",
      "two red circles,a green star",
      "--json",
    ]);
    const [{ scores }] = JSON.parse(classified.stdout) as [
      { scores: { label: string; probability: number }[] },
    ];
    const whole = scores.find(({ label }) => label === "two red circles")!.probability;
    assert.ok(Math.abs(answers[3]![0]! - whole) < 1e-5, `${answers[3]![0]!}, classify ${whole}`);
    const rollout = await Jimp.read(files[1]!);
    assert.equal(rollout.width, 674);
    assert.ok(rollout.height > 336, "the legend is below");
    const absolute = folder.file("absolute");
    await trace(
      ...["--image", image, "--figures", absolute, "--layer", "1", "--head", "2", "--absolute-scale"],
    );
    const pixelsOf = async (path: string): Promise<Buffer> => (await Jimp.read(path)).bitmap.data;
    assert.notDeepEqual(await pixelsOf(`${absolute}/attention-rollout.png`), await pixelsOf(files[1]!));
  });

  const wrong: [args: () => string[], message: RegExp][] = [
    [() => ["--out", "x"], /^clipscope: expected --image, --text or both\n$/],
    [() => ["--image", image], /^clipscope: expected one of --out \(a file\), --stats .*\n$/],
    [
      () => ["--image", image, "--out", "x", "--stats"],
      /^clipscope: expected one of --out \(a file\), --stats .*\n$/,
    ],
    [
      () => ["--image", image, "--out", folder.file("no", "t.safetensors")],
      /^clipscope: .*t\.safetensors: the folder does not exist; create it first\n$/,
    ],
    [() => ["--image", image, "--out", folder.path], /^clipscope: .*: expected a file, found a folder\n$/],
    [
      () => ["--image", "no.png", "--out", folder.file("t")],
      /^clipscope: no\.png: no such file or folder\n$/,
    ],
    [
      () => ["--image", image, "--out", folder.file("t"), "--taps", "visual.ln_pre", "--taps", "text*"],
      /^clipscope: --taps "text\*": no tap matches.*\n {2}input\.image\n/,
    ],
    [
      () => ["--text", text, "--stats", "--taps", "nothing"],
      /^clipscope: --taps "nothing": no tap matches.*\n {2}input\.text\n[^]*\n {2}text\.pooler\n/,
    ],
    [() => ["--image", image, "--out", image], /samples\/two-red-circles\.png: is an input, which would be/],
    [() => ["--image", image, "--stats", "--layer", "1"], /^clipscope: --layer requires --figures\n$/],
    [
      () => ["--image", image, "--stats", "--absolute-scale"],
      /^clipscope: --absolute-scale requires --figures\n$/,
    ],
    [
      () => ["--image", image, "--figures", image],
      /^clipscope: .*two-red-circles\.png: expected a folder, found a file\n$/,
    ],
    [
      () => ["--text", text, "--figures", folder.path],
      /^clipscope: --figures requires --image and does not accept --text\n$/,
    ],
    [
      () => ["--image", image, "--figures", folder.path, "--layer", "4"],
      /^clipscope: layer 4: the image tower has the layers 0 to 3\n$/,
    ],
    [
      () => ["--image", image, "--figures", folder.path, "--head", "-1"],
      /^clipscope: option '--head <i>' argument '-1' is invalid. Expected a whole number of at most nine digits\.\n$/,
    ],
  ];
  for (const [args, message] of wrong) {
    it(`refuses: ${message.source.slice(13, 60)}`, async () => {
      const { status, stdout, stderr } = await trace(...args());
      assert.deepEqual([status, stdout], [2, ""]);
      assert.match(stderr, message);
      assert.deepEqual(await readdir(folder.path), [], "no file is left");
    });
  }
});
