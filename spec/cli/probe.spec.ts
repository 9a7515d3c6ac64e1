import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { mkdir, readFile, readdir, rm, stat, truncate, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { embedImagesToFile } from "../../lib/features/embed-to-file.ts";
import { readFeatures, writeFeatures } from "../../lib/features/features.ts";
import { Probe } from "../../lib/probe/probe.ts";
import { findLabelledImages } from "../../lib/node/images/labelled-images.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import { SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import { FileSource } from "../../lib/node/files/file-source.ts";
import { withTaps } from "../../lib/tensor/taps.ts";
import { clipscope } from "../support/cli.ts";
import { writeImage } from "../support/images.ts";
import { assertNear } from "../support/near.ts";
import { temporaryFolder } from "../support/temporary.ts";

const colours = { blue: [0x0000ff, 0x2020e0, 0x1010a0], red: [0xff0000, 0xe02020, 0xa01010] };

/** A folder for each colour, with pictures of one colour in it. */
async function writePictures(folder: string): Promise<void> {
  for (const [name, shades] of Object.entries(colours)) {
    await mkdir(join(folder, name), { recursive: true });
    for (const [i, shade] of shades.entries()) await writeImage(join(folder, name, `${i}.png`), shade);
  }
}

describe("clipscope embed", () => {
  const folder = temporaryFolder();
  let images: string;
  let out: string;

  beforeEach(async () => {
    images = folder.file("images");
    out = folder.file("features.safetensors");
    await writePictures(images);
  });

  it("writes features, with labels and names from folders, and says what made them", async () => {
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

  it("takes any layer: its class token, or the mean over the patches", async () => {
    const tap = "visual.transformer.resblocks.0";
    const args = ["embed", "--images", images, "--out", out, "--tap", tap];
    assert.equal((await clipscope(args)).status, 0);
    const classToken = await readFeatures(out);
    assert.equal((await clipscope([...args, "--pool", "mean"])).status, 0);
    const mean = await readFeatures(out);
    assert.deepEqual([mean.metadata["tap"], mean.metadata["pool"]], [tap, "mean"]);
    assert.equal(classToken.width, mean.width);
    assert.notDeepEqual(classToken.values, mean.values);
    // The last block's class token goes through ln_post and the projection: with it the embedding can be had again.
    const last = "visual.transformer";
    assert.equal((await clipscope([...args.slice(0, -1), last])).status, 0);
    assert.equal((await readFeatures(out)).width, mean.width);
  });

  it("lists what it cannot read, skips it, and ends with status 2", async () => {
    const bad = join(images, "red", "1.png");
    await writeFile(bad, "no picture");
    const { status, stderr } = await clipscope(["embed", "--images", images, "--out", out]);
    assert.equal(status, 2);
    assert.match(stderr, /^clipscope: .*red\/1\.png: .*\n$/);
    const { labels, paths } = await readFeatures(out);
    assert.deepEqual(labels, [0, 0, 0, 1, 1]);
    assert.ok(!paths!.includes(bad));
  });

  it("takes files, lists with classes, and folders that are the classes", async () => {
    const [blue, red] = [join(images, "blue"), join(images, "red")];
    await clipscope(["embed", "--images", join(blue, "0.png"), join(red, "0.png"), "--out", out]);
    assert.equal((await readFeatures(out)).labels, null);
    await clipscope(["embed", "--images", blue, "--images", red, "--out", out]);
    assert.deepEqual((await readFeatures(out)).labels, [0, 0, 0, 1, 1, 1]);
    const list = folder.file("list.txt");
    await writeFile(list, `${join(red, "0.png")}\trot\n${join(blue, "0.png")}\tblau\n`);
    await clipscope(["embed", "--list", list, "--out", out]);
    const { labels, classNames } = await readFeatures(out);
    assert.deepEqual(
      [labels, classNames],
      [
        [1, 0],
        ["blau", "rot"],
      ],
    );
  });

  it("embeds texts as the model does", async () => {
    const file = folder.file("texts.txt");
    await writeFile(file, "two red circles\nein Stern\n");
    const { status } = await clipscope(["embed", "--texts", file, "--out", out, "--normalize"]);
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

    it("writes for each the file that it has alone, in one pass", async () => {
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

    it("continues all of them where it was stopped", async () => {
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

    it("takes them of texts too: <s> or the mean over the tokens, whatever runs beside", async () => {
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

    it("leaves no journal behind a wrong name, so that the right one goes through", async () => {
      const args = ["embed", "--images", images, "--out", out, "--tap"];
      const { status, stderr } = await clipscope([...args, "visual.none"]);
      assert.deepEqual([status, existsSync(`${out}.journal`)], [2, false]);
      assert.match(stderr, /^clipscope: no tap "visual\.none"; choose one of these\n {2}visual/);
      assert.equal((await clipscope([...args, "visual.ln_post"])).status, 0);
    });
  });

  describe("stopped and started again", () => {
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

    it("continues, and the file is the same byte for byte", async () => {
      await writeFile(join(images, "blue", "1.png"), "no picture");
      await clipscope(args());
      const undisturbed = await readFile(out);
      await writeFile(out, "from before");
      await stopped();
      assert.equal(await readFile(out, "utf8"), "from before");
      const { size } = await stat(`${out}.journal`);
      // The last line half written, as a kill may leave it; then with only the first line.
      for (const length of [size, size - 3, 200, 0]) {
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
      it(`never mixes work with another ${what}`, async () => {
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

    it("never mixes work on changed images", async () => {
      await stopped();
      await writeImage(join(images, "blue", "0.png"), 0x00ff00);
      const { status, stderr } = await clipscope(args());
      assert.equal(status, 2);
      assert.match(stderr, /other settings \(images\)/);
    });
  });

  it("writes over no picture that it reads", async () => {
    const picture = join(images, "red", "0.png");
    const before = await readFile(picture);
    const { status, stderr } = await clipscope(["embed", "--images", images, "--out", picture]);
    assert.equal(status, 2);
    assert.match(stderr, /^clipscope: .*0\.png: is read here, and would be overwritten.*\n$/);
    assert.deepEqual(await readFile(picture), before);
  });

  it("says which picture keeps it from having labels", async () => {
    await writeImage(join(images, "cover.png"), 0xffffff);
    const { status, stderr } = await clipscope(["embed", "--images", images, "--out", out]);
    assert.equal(status, 0);
    assert.match(
      stderr,
      /^clipscope: .*cover\.png: lies in no class's folder, as others do: .* no labels\n$/,
    );
  });

  const wrong: [title: string, args: () => string[], message: RegExp][] = [
    ["nothing to embed", () => [], /expected --images, --list or --texts, one of the three/],
    ["both", () => ["--images", images, "--texts", "x"], /one of the three/],
    ["a tap that is not there", () => ["--images", images, "--tap", "visual.none"], /no tap "visual\.none"/],
    [
      "several taps for one file",
      () => ["--images", images, "--tap", "visual", "--tap", "visual.ln_post"],
      /expected \{tap\} in the name, where 2 taps make a file each/,
    ],
    [
      "a tap twice",
      () => ["--images", images, "--tap", "visual", "--tap", "visual"],
      /the tap "visual" is named twice/,
    ],
    ["a missing folder", () => ["--images", "nowhere"], /nowhere: no such file or folder/],
    ["a missing list", () => ["--list", "nowhere"], /nowhere: no such file or folder/],
  ];
  for (const [title, args, message] of wrong) {
    it(`refuses ${title}, and writes nothing`, async () => {
      const { status, stdout, stderr } = await clipscope(["embed", "--out", out, ...args()]);
      assert.deepEqual([status, stdout], [2, ""]);
      assert.match(stderr.split("\n")[0]!, message);
      assert.deepEqual(await readdir(folder.path), ["images"]);
    });
  }
});

describe("clipscope probe", () => {
  const folder = temporaryFolder();
  let features: string;
  let probe: string;

  /** Two classes in the plane, 0 to the left of 1. */
  async function writePoints(
    path: string,
    labels: number[] | null,
    more: { metadata?: Record<string, string>; classNames?: string[]; width?: number; bad?: number } = {},
  ): Promise<void> {
    const { metadata = {}, classNames = null, width = 2, bad } = more;
    const rows = labels?.length ?? 4;
    const values = Float32Array.from({ length: rows * width }, (_, i) =>
      i % width === 0 ? 4 * (labels?.[i / width] ?? 0) + Math.sin(i) : Math.cos(i),
    );
    if (bad !== undefined) values[bad * width] = NaN;
    await writeFeatures(path, { values, rows, width, labels, classNames, paths: null, metadata });
  }

  beforeEach(async () => {
    features = folder.file("features.safetensors");
    probe = folder.file("probe.safetensors");
    await writePoints(features, [0, 0, 1, 1, 0, 1], { classNames: ["left", "right"] });
  });

  const fit = (...more: string[]): ReturnType<typeof clipscope> =>
    clipscope(["probe", "fit", "--features", features, "--out", probe, ...more]);
  const evaluate = (...more: string[]): ReturnType<typeof clipscope> =>
    clipscope(["probe", "eval", "--probe", probe, "--features", features, ...more]);

  it("fits and measures", async () => {
    const fitted = await fit();
    assert.deepEqual(fitted, {
      status: 0,
      stdout: `${probe}: 2 classes, 6 rows of 2 numbers, training accuracy 100.0%\n`,
      stderr: "",
    });
    const { weight, bias, metadata, classNames } = await Probe.open(probe);
    assert.deepEqual([weight.length, bias.length, classNames], [4, 2, ["left", "right"]]);
    assert.ok(
      Math.abs(weight[0]! + weight[2]!) < 1e-6,
      "two classes are the rows of one solution, −w/2 and w/2",
    );
    assert.deepEqual([metadata["recipe"], metadata["training_accuracy"]], ["logistic-regression", "1"]);
    assert.equal((JSON.parse(metadata["settings"]!) as { C: number }).C, 0.316);
    const { status, stdout } = await evaluate("--json");
    assert.deepEqual([status, stdout], [0, '{"lp_acc1":1,"lp_acc5":null,"lp_mean_per_class_recall":1}\n']);
    assert.match((await evaluate()).stdout, /^accuracy +100\.0%\n(.*\n)*left +3 +100\.0% +100\.0%\n/m);
  });

  it("sweeps C, and prints the table", async () => {
    const { status, stdout } = await fit("-C", "sweep");
    assert.equal(status, 0);
    assert.equal(stdout.split("\n").filter((line) => / ± /.test(line)).length, 13);
    assert.match(stdout, /best\n/);
  });

  it("follows CLIP_benchmark, with the search of its weight decay", async () => {
    const { status, stdout } = await fit("--recipe", "clip-benchmark", "--validation", features);
    assert.equal(status, 0);
    assert.match(stdout, /^weight decay +validation accuracy\n +1\.00e-6 +100\.0% +best\n/);
    const { metadata } = await Probe.open(probe);
    assert.deepEqual([metadata["recipe"], metadata["normalized"]], ["clip-benchmark", "true"]);
    assert.match((await evaluate("--json")).stdout, /^\{"lp_acc1":/);
  });

  it("takes labels from a file, and k shots of each class", async () => {
    const labels = folder.file("labels.txt");
    await writeFile(labels, "a\na\nb\nb\na\nb\n");
    const { stdout } = await fit("--labels", labels, "--shots", "2", "--json");
    assert.equal((JSON.parse(stdout) as { rows: number }).rows, 4);
    assert.deepEqual((await Probe.open(probe)).classNames, ["a", "b"]);
    assert.equal((await evaluate("--labels", labels)).status, 0);
  });

  it("predicts images, from the command line and from code, and compares with zero-shot", async () => {
    const images = folder.file("images");
    await writePictures(images);
    await clipscope(["embed", "--images", images, "--out", features]);
    await fit();
    assert.match((await evaluate()).stdout, /probe +zero-shot\naccuracy +100\.0% +\d+\.\d%\n/);
    const red = join(images, "red", "0.png");
    const { status, stdout } = await clipscope(["probe", "predict", "--probe", probe, red, "--json"]);
    assert.equal(status, 0);
    const [result] = JSON.parse(stdout) as [
      { path: string; scores: { label: string; probability: number }[] },
    ];
    assert.deepEqual([result.path, result.scores.map(({ label }) => label)], [red, ["red", "blue"]]);
    const model = await loadModel();
    assert.deepEqual(await (await Probe.open(probe)).predict(model, red), result.scores);
    await model.dispose();
    const table = await clipscope(["probe", "predict", "--probe", probe, red, "nowhere.png", "--top", "1"]);
    assert.equal(table.status, 2);
    assert.match(table.stdout, /red\/0\.png\n {2}red +\d+\.\d%/);
    assert.match(table.stderr, /nowhere\.png: no such file/);
  });

  describe("refuses", () => {
    const badFits: [title: string, write: () => Promise<void>, message: RegExp, args?: string[]][] = [
      ["features without labels", () => writePoints(features, null), /no labels; embed a folder/],
      ["one class only", () => writePoints(features, [0, 0, 0]), /all 3 rows are of the class 0/],
      [
        "a number that is not finite",
        () => writePoints(features, [0, 1, 1], { bad: 1 }),
        /row 1 .* holds NaN/,
      ],
      [
        "fewer samples than classes",
        () => writePoints(features, [0, 2], { classNames: ["a", "b", "c"] }),
        /1 of the 3 classes have no rows among the 2 \("b"\)/,
      ],
      [
        "labels beyond the names",
        () => writePoints(features, [0, 1, 2], { classNames: ["a", "b"] }),
        /the label of row 2 is 2, expected 0 to 1/,
      ],
      ["a file that is none", () => writeFile(features, "nothing at all"), /not a valid safetensors file/],
      [
        "more shots than there are",
        () => writePoints(features, [0, 0, 1]),
        /has 1 rows, expected 2/,
        ["--shots", "2"],
      ],
      [
        "options of the other recipe",
        () => Promise.resolve(),
        /-C has no meaning/,
        ["-C", "1", "--recipe", "clip-benchmark"],
      ],
      ["C that is no number", () => Promise.resolve(), /Expected a number above 0, or "sweep"/, ["-C", "0"]],
    ];
    for (const [title, write, message, args = []] of badFits) {
      it(`to fit ${title}, and leaves the old probe`, async () => {
        await write();
        await writeFile(probe, "the old probe");
        const { status, stdout, stderr } = await fit(...args);
        assert.deepEqual([status, stdout, stderr.split("\n").length], [2, "", 2]);
        assert.match(stderr, message);
        assert.equal(await readFile(probe, "utf8"), "the old probe");
      });
    }

    it("features for a probe, and a probe for features", async () => {
      await fit();
      const [swapped, other] = [
        await clipscope(["probe", "eval", "--probe", features, "--features", features]),
        await clipscope(["probe", "eval", "--probe", probe, "--features", probe]),
      ];
      assert.match(swapped.stderr, /expected a probe, found features; "clipscope probe fit" makes one/);
      assert.match(other.stderr, /expected features, found a probe; "clipscope embed" makes features/);
    });

    it("to write a probe over its features", async () => {
      const before = await readFile(features);
      const { status, stderr } = await clipscope(["probe", "fit", "--features", features, "--out", features]);
      assert.equal(status, 2);
      assert.match(
        stderr,
        /^clipscope: .*: is read here, and would be overwritten; write to another file\n$/,
      );
      assert.deepEqual(await readFile(features), before);
    });

    it("labels that do not match the features", async () => {
      const labels = folder.file("labels.txt");
      await writeFile(labels, "a\nb\n");
      assert.match(
        (await fit("--labels", labels)).stderr,
        /labels\.txt with .*: 2 labels for 6 rows of features/,
      );
    });

    const badEvals: [title: string, metadata: Record<string, string>, message: RegExp, width?: number][] = [
      ["another dimension", {}, /features of 3 numbers, but the probe .* takes 2/, 3],
      ["another model", { model: "b" }, /made with another model than the probe .*fitted on a, found b/],
      [
        "another tap",
        { tap: "visual.ln_post" },
        /made with another tap than .* visual, found visual\.ln_post/,
      ],
      ["normalised features", { normalized: "true" }, /another normalized than .* false, found true/],
    ];
    for (const [title, metadata, message, width = 2] of badEvals) {
      it(`to measure with ${title}`, async () => {
        const own = { model: "a", normalized: "false" };
        await writePoints(features, [0, 0, 1, 1], { metadata: own });
        await fit();
        await writePoints(features, [0, 0, 1, 1], { metadata: { ...own, ...metadata }, width });
        const { status, stdout, stderr } = await evaluate();
        assert.deepEqual([status, stdout, stderr.split("\n").length], [2, "", 2]);
        assert.match(stderr, message);
      });
    }

    it("to predict with a probe for another model", async () => {
      await writePoints(features, [0, 0, 1, 1], { metadata: { model: "a", model_sha256: "0" } });
      await fit();
      const picture = folder.file("red.png");
      await writeImage(picture, 0xff0000);
      const { status, stderr } = await clipscope(["probe", "predict", "--probe", probe, picture]);
      assert.equal(status, 2);
      assert.match(
        stderr,
        /^clipscope: .*another model than the model at hand: .*fitted on a \(0\), found demo-model.*\n$/,
      );
    });
  });
});
