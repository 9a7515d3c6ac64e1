import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, readdir, rm, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { embedImagesToFile, readFeatures } from "../../../lib/node/features/features-files.ts";
import { findLabelledImages } from "../../../lib/node/images/find-labelled-images.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { SafetensorsFile } from "../../../lib/tensor/safetensors.ts";
import { FileSource } from "../../../lib/node/files/file-source.ts";
import { withTaps } from "../../../lib/tensor/taps.ts";
import { clipscope } from "../../support/cli.ts";
import { writeImage } from "../../support/images.ts";
import { assertNear } from "../../support/near.ts";
import { writeColourFolders } from "../../support/probe-files.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("clipscope embed", () => {
  const folder = temporaryFolder();
  let images: string;
  let out: string;

  beforeEach(async () => {
    images = folder.file("images");
    out = folder.file("features.safetensors");
    await writeColourFolders(images);
  });

  it("writes features with labels and class names from folders, and their origin", async () => {
    const { status, stdout, stderr } = await clipscope(["embed", "--images", images, "--out", out]);
    assert.deepEqual([status, stdout, stderr], [0, `${out}: 6 rows of 96 numbers\n`, ""]);
    const features = await readFeatures(out);
    assert.deepEqual(features.labels, [0, 0, 0, 1, 1, 1]);
    assert.deepEqual(features.classNames, ["blue", "red"]);
    assert.deepEqual(features.paths?.[3], join(images, "red", "0.png"));
    const { model, tap, normalized } = features.metadata;
    assert.deepEqual([model, tap, normalized], ["demo-model", "visual", "false"]);
    assert.deepEqual(await readdir(folder.path), ["features.safetensors", "images"]);

    const model_ = await loadModel();
    const file = await SafetensorsFile.open(await FileSource.open(out));
    assert.deepEqual([...file.tensors].map(([name, { dtype, shape }]) => [name, dtype, shape]).sort(), [
      ["features", "F32", [6, model_.config.embedDim]],
      ["labels", "I64", [6]],
    ]);
    await file.close();
    await model_.dispose();
  });

  it("--normalize gives the same rows with length 1", async () => {
    await clipscope(["embed", "--images", images, "--out", out]);
    const plain = await readFeatures(out);
    await clipscope(["embed", "--images", images, "--out", out, "--normalize"]);
    const { values, width, rows, metadata } = await readFeatures(out);
    assert.equal(metadata["normalized"], "true");
    for (let row = 0; row < rows; row++) {
      const of = (all: Float32Array): number[] => [...all.subarray(row * width, (row + 1) * width)];
      const norm = Math.hypot(...of(plain.values));
      assert.ok(of(values).every((value, i) => Math.abs(value - of(plain.values)[i]! / norm) < 1e-5));
    }
  });

  it("--tap takes any layer: its class token, or the mean over the patches", async () => {
    const tap = "visual.transformer.resblocks.0";
    const args = ["embed", "--images", images, "--out", out, "--tap", tap];
    assert.equal((await clipscope(args)).status, 0);
    const classToken = await readFeatures(out);
    assert.equal((await clipscope([...args, "--pool", "mean"])).status, 0);
    const mean = await readFeatures(out);
    assert.deepEqual([mean.metadata["tap"], mean.metadata["pool"]], [tap, "mean"]);
    assert.equal(classToken.width, mean.width);
    assert.notDeepEqual(classToken.values, mean.values);
    const last = "visual.transformer";
    assert.equal((await clipscope([...args.slice(0, -1), last])).status, 0);
    assert.equal((await readFeatures(out)).width, mean.width);
  });

  it("reports and skips unreadable images, and ends with status 2", async () => {
    const bad = join(images, "red", "1.png");
    await writeFile(bad, "not an image");
    const { status, stderr } = await clipscope(["embed", "--images", images, "--out", out]);
    assert.equal(status, 2);
    assert.match(stderr, /^clipscope: .*red\/1\.png: .*\n$/);
    const { labels, paths } = await readFeatures(out);
    assert.deepEqual(labels, [0, 0, 0, 1, 1]);
    assert.ok(!paths!.includes(bad));
  });

  it("takes files, lists with classes, and class folders", async () => {
    const [blue, red] = [join(images, "blue"), join(images, "red")];
    await clipscope(["embed", "--images", join(blue, "0.png"), join(red, "0.png"), "--out", out]);
    assert.equal((await readFeatures(out)).labels, null);
    await clipscope(["embed", "--images", blue, "--images", red, "--out", out]);
    assert.deepEqual((await readFeatures(out)).labels, [0, 0, 0, 1, 1, 1]);
    const list = folder.file("list.txt");
    await writeFile(list, `${join(red, "0.png")}\trot\n${join(blue, "0.png")}\tblau\n`);
    await clipscope(["embed", "--list", list, "--out", out]);
    const written = await readFile(out);
    const { labels, classNames } = await readFeatures(out);
    assert.deepEqual(
      [labels, classNames],
      [
        [1, 0],
        ["blau", "rot"],
      ],
    );
    const stdin = await readFile(list, "utf8");
    await clipscope(["embed", "--list", "-", "--out", out], { stdin });
    assert.deepEqual(await readFile(out), written);
  });

  it("--texts embeds texts like the library", async () => {
    const file = folder.file("texts.txt");
    await writeFile(file, "two red circles\nein Stern\n");
    const { status } = await clipscope([
      "embed",
      "--texts",
      file,
      "--out",
      out,
      "--normalize",
      "--batch",
      "2",
    ]);
    assert.equal(status, 0);
    const { values, rows, metadata } = await readFeatures(out);
    assert.deepEqual([rows, metadata["tap"]], [2, "text"]);
    const model = await loadModel();
    const expected = await model.encodeText(["two red circles", "ein Stern"], { normalize: true });
    assert.deepEqual(values, await expected.data());
    expected.dispose();
    await model.dispose();
  });

  describe("with several taps", () => {
    const block = (i: number): string => `visual.transformer.resblocks.${i}`;
    const taps = [block(0), "visual", block(2)];
    const each = (): string[] => taps.map((tap) => folder.file(`${tap}.safetensors`));

    it("writes the same files as one run per tap", async () => {
      const args = ["embed", "--images", images, "--pool", "mean", "--out"];
      const alone: Buffer[] = [];
      for (const tap of taps) {
        await clipscope([...args, out, "--tap", tap]);
        alone.push(await readFile(out));
      }
      const all = [...args, folder.file("{tap}.safetensors"), ...taps.flatMap((tap) => ["--tap", tap])];
      const { status, stdout } = await clipscope([...all, "--json"]);
      assert.equal(status, 0);
      assert.deepEqual(
        JSON.parse(stdout),
        each().map((file) => ({ out: file, rows: 6, width: 96 })),
      );
      for (const [i, file] of each().entries()) assert.deepEqual(await readFile(file), alone[i], taps[i]);
    });

    it("continues all of them after an interruption", async () => {
      const pattern = folder.file("{tap}.safetensors");
      const run = async (stopAt: number): Promise<void> => {
        const model = await loadModel();
        try {
          await embedImagesToFile(model, await findLabelledImages([images], assert.ifError), pattern, {
            taps,
            batchSize: 2,
            onError: assert.ifError,
            onProgress: (done) => {
              if (done === stopAt) throw new Error("stopped");
            },
          });
        } finally {
          await model.dispose();
        }
      };
      await run(Infinity);
      const undisturbed = await Promise.all(each().map((file) => readFile(file)));
      await Promise.all(each().map((file) => rm(file)));
      await assert.rejects(run(2), /stopped/);
      assert.ok(!existsSync(each()[0]!));
      await run(Infinity);
      assert.deepEqual(await Promise.all(each().map((file) => readFile(file))), undisturbed);
      assert.deepEqual(
        (await readdir(folder.path)).filter((name) => name.includes("journal")),
        [],
      );
    });

    it("takes taps of texts: <s>, or the mean over a text's own tokens", async () => {
      const file = folder.file("texts.txt");
      const texts = ["two red circles", "ein Stern", "a blue square at the top"];
      await writeFile(file, texts.join("\n"));
      const layer = "text.transformer.encoder.layer.1";
      for (const pool of ["class", "mean"]) {
        const args = ["--texts", file, "--out", folder.file("{tap}"), "--tap", layer, "--tap", "text"];
        assert.equal((await clipscope(["embed", ...args, "--pool", pool])).status, 0);
        const { values, width, metadata } = await readFeatures(folder.file(layer));
        assert.deepEqual([metadata["tap"], metadata["pool"]], [layer, pool]);
        const model = await loadModel();
        for (const [row, text] of texts.entries()) {
          let expected: number[] = [];
          const alone = await withTaps(
            (name, value) => {
              if (name !== layer) return;
              const tokens = (value.arraySync() as number[][][])[0]!;
              const mean = (i: number): number => tokens.reduce((sum, of) => sum + of[i]!, 0) / tokens.length;
              expected = pool === "class" ? tokens[0]! : tokens[0]!.map((_, i) => mean(i));
            },
            () => model.encodeText([text]),
          );
          alone.dispose();
          assertNear([...values.subarray(row * width, (row + 1) * width)], expected, 1e-5);
        }
        await model.dispose();
        assert.equal((await readFeatures(folder.file("text"))).metadata["pool"], undefined);
      }
    });

    it("leaves no journal after an unknown tap", async () => {
      const args = ["embed", "--images", images, "--out", out, "--tap"];
      const { status, stderr } = await clipscope([...args, "visual.none"]);
      assert.deepEqual([status, existsSync(`${out}.journal`)], [2, false]);
      assert.match(stderr, /^clipscope: no tap "visual\.none"; choose one of these\n {2}visual/);
      assert.equal((await clipscope([...args, "visual.ln_post"])).status, 0);
    });
  });

  describe("interrupted and started again", () => {
    const args = (...more: string[]): string[] => [
      "embed",
      "--images",
      images,
      "--out",
      out,
      ...(more.includes("--batch") ? [] : ["--batch", "2"]),
      ...more,
    ];

    /** Runs until two batches are done. */
    async function stopped(): Promise<void> {
      const model = await loadModel();
      const work = embedImagesToFile(model, await findLabelledImages([images], assert.ifError), out, {
        batchSize: 2,
        onError: () => undefined,
        onProgress: (done) => {
          if (done >= 4) throw new Error("stopped");
        },
      });
      await assert.rejects(work, /stopped/);
      await model.dispose();
    }

    it("continues, and writes the same bytes", async () => {
      await writeFile(join(images, "blue", "1.png"), "not an image");
      await clipscope(args());
      const undisturbed = await readFile(out);
      await writeFile(out, "from before");
      await stopped();
      assert.equal(await readFile(out, "utf8"), "from before");
      const journal = await readFile(`${out}.journal`);
      const { length: size } = journal;
      // A complete journal, one with an incomplete last line, one with only its first line, and an empty one.
      for (const length of [size, size - 3, journal.indexOf("\n") + 1, 0]) {
        await stopped();
        await truncate(`${out}.journal`, length);
        const { status, stderr } = await clipscope(args());
        assert.deepEqual([status, stderr.split("\n").length], [2, 2]);
        assert.match(stderr, /blue\/1\.png/);
        assert.deepEqual(await readFile(out), undisturbed);
        assert.ok(!existsSync(`${out}.journal`));
      }
    });

    const changes: [what: string, args: string[]][] = [
      ["normalized", ["--normalize"]],
      ["tap", ["--tap", "visual.ln_post"]],
      ["preprocess", ["--exif"]],
      ["batch: 2, now 3", ["--batch", "3"]],
    ];
    for (const [what, more] of changes) {
      it(`refuses a journal with another ${what}`, async () => {
        await stopped();
        const { status, stderr } = await clipscope(args(...more));
        assert.equal(status, 2);
        assert.match(
          stderr,
          new RegExp(`^clipscope: .*journal: holds unfinished work with .*\\b${what}\\b.*\\n$`),
        );
        assert.ok(existsSync(`${out}.journal`) && !existsSync(out));
      });
    }

    it("refuses a journal if the images have changed", async () => {
      await stopped();
      await writeImage(join(images, "blue", "0.png"), 0x00ff00);
      const { status, stderr } = await clipscope(args());
      assert.equal(status, 2);
      assert.match(stderr, /other settings \(images\)/);
    });
  });

  it("refuses to overwrite an image that it reads", async () => {
    const image = join(images, "red", "0.png");
    const before = await readFile(image);
    const { status, stderr } = await clipscope(["embed", "--images", images, "--out", image]);
    assert.equal(status, 2);
    assert.match(stderr, /^clipscope: .*0\.png: is an input, which would be overwritten.*\n$/);
    assert.deepEqual(await readFile(image), before);
  });

  it("names the image that prevents labels", async () => {
    await writeImage(join(images, "cover.png"), 0xffffff);
    const { status, stderr } = await clipscope(["embed", "--images", images, "--out", out]);
    assert.equal(status, 0);
    assert.match(
      stderr,
      /^clipscope: .*cover\.png: not in a class folder, unlike other images: .* no labels\n$/,
    );
  });

  const wrong: [title: string, args: () => string[], message: RegExp][] = [
    ["nothing to embed", () => [], /expected one of --images, --list and --texts/],
    [
      "two kinds of input",
      () => ["--images", images, "--texts", "x"],
      /expected one of --images, --list and --texts/,
    ],
    ["an unknown tap", () => ["--images", images, "--tap", "visual.none"], /no tap "visual\.none"/],
    [
      "several taps for one file",
      () => ["--images", images, "--tap", "visual", "--tap", "visual.ln_post"],
      /expected \{tap\} in the name, because each of the 2 taps has its own file/,
    ],
    [
      "a tap twice",
      () => ["--images", images, "--tap", "visual", "--tap", "visual"],
      /the tap "visual" is listed twice; remove one/,
    ],
    ["a missing folder", () => ["--images", "nowhere"], /nowhere: no such file or folder/],
    ["a missing list", () => ["--list", "nowhere"], /nowhere: no such file or folder/],
  ];
  for (const [title, args, message] of wrong) {
    it(`refuses ${title} and writes nothing`, async () => {
      const { status, stdout, stderr } = await clipscope(["embed", "--out", out, ...args()]);
      assert.deepEqual([status, stdout], [2, ""]);
      assert.match(stderr.split("\n")[0]!, message);
      assert.deepEqual(await readdir(folder.path), ["images"]);
    });
  }
});
