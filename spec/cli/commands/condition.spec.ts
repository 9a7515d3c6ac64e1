import assert from "node:assert/strict";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { readNumpyVector } from "../../../lib/eval/numpy.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { demoModel } from "../../../lib/node/models/model-directory.ts";
import { readImages } from "../../../lib/node/images/read-images.ts";
import { FileSource } from "../../../lib/node/files/file-source.ts";
import { SafetensorsFile } from "../../../lib/tensor/safetensors.ts";
import { readFloat32 } from "../../../lib/tensor/store.ts";
import { compare } from "../../../lib/tensor/compare.ts";
import { clipscope } from "../../support/cli.ts";
import { writeEnglishModel } from "../../support/english-model.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const image = `${demoModel}/samples/three-brown-stars.png`;

describe("clipscope condition", () => {
  const folder = temporaryFolder();

  it("writes the embedding for unCLIP, and warns about a model of another size", async () => {
    const out = folder.file("unclip.safetensors");
    const { status, stdout, stderr } = await clipscope(["condition", "--for", "unclip", image, "--out", out]);
    assert.equal(status, 0, stderr);
    assert.equal(stdout, `${out}: image_embeds [1, 96]\nimages prepared as transformers\n`);
    assert.match(stderr, /^clipscope: Stable unCLIP 2\.1 takes tensors of width 1024, this model gives 96; /);
    const file = await SafetensorsFile.open(await FileSource.open(out));
    assert.equal(file.metadata["for"], "unclip");
    const model = await loadModel(demoModel);
    const pixels = await readImages([image], model.preprocess);
    const embedding = await model.encodeImage(pixels);
    const { relativeL2 } = compare(await readFloat32(file, "image_embeds"), await embedding.data());
    assert.ok(relativeL2 < 1e-6, `${relativeL2}`); // the sample has the model's size: every preparation is the same
    for (const tensor of [pixels, embedding]) tensor.dispose();
    await file.close();
    await model.dispose();
  });

  it("writes an array for NumPy", async () => {
    const out = folder.file("{tensor}.npy");
    const args = [
      "condition",
      "--for",
      "wan",
      image,
      image,
      "--preprocess",
      "squash",
      "--out",
      out,
      "--json",
    ];
    const { status, stdout } = await clipscope(args);
    assert.equal(status, 0);
    const report = JSON.parse(stdout) as { tensors: { name: string; shape: number[]; file: string }[] };
    const [{ name, shape, file }] = report.tensors as [(typeof report.tensors)[0]];
    assert.deepEqual([name, shape, file], ["image_embeds", [2, 37, 96], folder.file("image_embeds.npy")]);
    const bytes = await readFile(file);
    assert.throws(() => readNumpyVector(bytes, "x.npy"), /found the shape \(2, 37, 96\)/);
    assert.equal(bytes.length, 128 + 4 * 2 * 37 * 96);
  });

  it("writes prompts for Stable Diffusion 2", async () => {
    const model = await writeEnglishModel(folder.file("english"));
    const out = folder.file("prompts.safetensors");
    const args = ["condition", "--model", model, "--for", "sd2", "--out", out];
    const { status, stdout } = await clipscope([...args, "--text", "a cat", "--text", "two dogs", "--json"]);
    assert.equal(status, 0);
    const report = JSON.parse(stdout) as Record<string, unknown>;
    assert.deepEqual(
      [report["preprocess"], report["fits"], report["tensors"]],
      [
        null,
        false,
        ["prompt_embeds", "negative_prompt_embeds"].map((name) => ({ name, shape: [2, 77, 8], file: out })),
      ],
    );
    const clip = await loadModel(model);
    const tokenizer = await clip.tokenizer();
    assert.deepEqual(tokenizer.encode(""), [49406, 49407]); // the negative prompt
    await clip.dispose();
    const oneFile = await clipscope([...args.slice(0, -1), folder.file("x.npy"), "--text", "a cat"]);
    assert.match(
      oneFile.stderr,
      /x\.npy: a \.npy file holds one tensor, this generator takes 2; put \{tensor\} in it/,
    );
  });

  for (const [args, message] of [
    [["--for", "sd2", image], "Stable Diffusion 2 takes texts; give --text, and no images"],
    [["--for", "sd2"], "Stable Diffusion 2 takes texts; expected --text"],
    [["--for", "sd2", "--text", "a", "--exif"], "--exif requires images"],
    [
      ["--for", "sd2", "--text", "a", "--negative", "b", "--negative", "c"],
      "--negative: expected 1 or 1, found 2",
    ],
    [["--for", "wan"], "Wan 2.1 image to video takes images; expected at least one"],
    [["--for", "wan", image, "--text", "a"], "Wan 2.1 image to video takes images; --text is of sd2"],
    [["--for", "svd", "-", "-"], "standard input (-) is given twice; it can be read once"],
    [["--for", "svd", "nowhere.png"], "nowhere.png: no such file or folder"],
    [
      ["--for", "sd2", "--text", "a"],
      "Stable Diffusion 2 takes the English text tower of laion/CLIP-ViT-H-14-laion2B-s32B-b79K, found a model with a text tower of the kind xlm-roberta; no published image generator takes its states",
    ],
  ] as const) {
    it(`refuses ${args.join(" ").replace(image, "image.png")}`, async () => {
      const before = await readdir(folder.path);
      const result = await clipscope(["condition", ...args, "--out", folder.file("refused.safetensors")]);
      assert.deepEqual([result.status, result.stdout], [2, ""]);
      assert.equal(result.stderr, `clipscope: ${message}\n`);
      assert.deepEqual(await readdir(folder.path), before);
    });
  }

  it("refuses another extension, and to overwrite its input", async () => {
    const other = await clipscope(["condition", "--for", "wan", image, "--out", folder.file("x.pt")]);
    assert.match(other.stderr, /x\.pt: expected a name that ends with \.safetensors or \.npy\n$/);
    const own = folder.file("own.npy");
    await writeFile(own, "an image");
    const { status, stderr } = await clipscope(["condition", "--for", "wan", own, "--out", own]);
    assert.equal(status, 2);
    assert.match(stderr, /own\.npy: is an input, which would be overwritten; write to another file/);
  });
});
