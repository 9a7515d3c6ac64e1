import assert from "node:assert/strict";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { probeLayers } from "../../../lib/node/features/probes.ts";
import { findLabelledImages } from "../../../lib/node/images/find-labelled-images.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import type { LayerFigures } from "../../../lib/probe/layers.ts";
import { splitImages } from "../../../lib/probe/split-images.ts";
import { clipscope } from "../../support/cli.ts";
import { writeImage } from "../../support/images.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const blocks = [0, 1, 2, 3].map((i) => `visual.transformer.resblocks.${i}`);
const taps = [...blocks, "visual"];

describe("clipscope probe layers", () => {
  const folder = temporaryFolder();
  let train: string;
  let test: string;
  let out: string;

  beforeEach(async () => {
    [train, test, out] = [folder.file("train"), folder.file("test"), folder.file("layers")];
    for (const [root, shades] of [
      [train, [0, 40, 80]],
      [test, [20, 60]],
    ] as const) {
      for (const [name, channel] of [
        ["blue", 0],
        ["red", 16],
      ] as const) {
        await mkdir(join(root, name), { recursive: true });
        for (const shade of shades) {
          await writeImage(join(root, name, `${shade}.png`), ((255 - shade) << channel) >>> 0);
        }
      }
    }
  });

  const layers = (...more: string[]): ReturnType<typeof clipscope> =>
    clipscope(["probe", "layers", "--train", train, "--test", test, "--out", out, ...more]);

  it("gives the same files and figures as embed, fit and eval", async () => {
    const { status, stdout, stderr } = await layers("--pool", "mean", "--json");
    assert.deepEqual([status, stderr], [0, ""]);
    const rows = JSON.parse(stdout) as { tap: string; lp_acc1: number; training_accuracy: number }[];
    assert.deepEqual(
      rows.map(({ tap }) => tap),
      taps,
    );
    assert.deepEqual((await readdir(out)).sort(), ["probes", "test", "train"]);

    const [tap, probe] = [blocks[1]!, folder.file("probe.safetensors")];
    for (const [name, images] of [
      ["train", train],
      ["test", test],
    ] as const) {
      const file = folder.file(`${name}.safetensors`);
      await clipscope(["embed", "--images", images, "--out", file, "--tap", tap, "--pool", "mean"]);
      assert.deepEqual(await readFile(join(out, name, `${tap}.safetensors`)), await readFile(file));
    }
    await clipscope(["probe", "fit", "--features", folder.file("train.safetensors"), "--out", probe]);
    assert.deepEqual(await readFile(join(out, "probes", `${tap}.safetensors`)), await readFile(probe));
    const args = ["--probe", probe, "--features", folder.file("test.safetensors"), "--json"];
    const alone = JSON.parse((await clipscope(["probe", "eval", ...args])).stdout) as object;
    const { training_accuracy, ...row } = rows[1]!;
    assert.equal(training_accuracy, 1);
    assert.deepEqual(row, { tap, C: 0.316, converged: true, ...alone });
  });

  it("prints a table and a chart, and draws the chart", async () => {
    const figures = folder.file("figures");
    const { stdout } = await clipscope(
      ["probe", "layers", "--train", train, "--test", test, "--out", out, "--figures", figures],
      { columns: 40, env: { NO_COLOR: "1" } },
    );
    const lines = stdout.split("\n");
    for (const [i, tap] of taps.entries()) {
      assert.match(
        lines[i + 1]!,
        new RegExp(`${tap.slice(-9).replace(".", "\\.")} +\\d+\\.\\d% +\\d+\\.\\d%`),
      );
    }
    assert.ok(lines.every((line) => line.length <= 40));
    assert.match(stdout, /\n +\d0\.0% ┤[ ▁▂▃▄▅▆▇█]+\n/);
    assert.match(await readFile(join(figures, "layers.svg"), "utf8"), /^<svg /);
  });

  it("--test-fraction holds out part of each class", async () => {
    const args = ["probe", "layers", "--train", train, "--test-fraction", "0.34", "--out", out, "--json"];
    assert.equal((await clipscope(args)).status, 0);
    const images = await findLabelledImages([train], assert.ifError);
    const split = splitImages(images, 0.34, 7);
    assert.deepEqual(split.test.labels, [0, 1]);
    assert.deepEqual([...split.train.images, ...split.test.images].sort(), [...images.images]);
    assert.deepEqual(splitImages(images, 0.34, 7), split);
    const others = [1, 2, 3, 4, 5].map((seed) => JSON.stringify(splitImages(images, 0.34, seed)));
    assert.ok(new Set(others).size > 1);
  });

  it("continues after an interruption, with the same files and figures", async () => {
    await writeFile(join(test, "red", "20.png"), "not an image");
    const errors: string[] = [];
    const run = async (stopAt: string): Promise<LayerFigures[]> => {
      const model = await loadModel();
      const images = {
        train: await findLabelledImages([train], assert.ifError),
        test: await findLabelledImages([test], assert.ifError),
      };
      try {
        return await probeLayers(model, images, out, {
          batchSize: 2,
          onError: ({ message }) => errors.push(message),
          onProgress: (stage, done) => {
            if (`${stage} ${done}` === stopAt) throw new Error("stopped");
          },
        });
      } finally {
        await model.dispose();
      }
    };
    const contents = async (): Promise<string[]> => {
      const files = (await readdir(out, { recursive: true })).filter((file) => /tensors$/.test(file)).sort();
      return Promise.all(files.map((file) => readFile(join(out, file), "base64")));
    };
    const undisturbed = [await run("never"), await contents()];
    for (const stopAt of ["train 2", "test 4", "fit 2"]) {
      await assert.rejects(run(stopAt), /stopped/);
      assert.ok(
        (await readdir(out, { recursive: true })).some((file) => file.endsWith(".journal")),
        stopAt,
      );
    }
    errors.length = 0;
    assert.deepEqual([await run("never"), await contents()], undisturbed);
    assert.equal(errors.length, 1);
    assert.match(errors[0]!, /red\/20\.png/);
    assert.ok(!existsSync(join(out, "layers.journal")));

    // Another C reuses the features in the journal; another pooling cannot.
    await assert.rejects(run("fit 2"), /stopped/);
    const other = await layers("--pool", "mean");
    assert.equal(other.status, 2);
    assert.match(other.stderr, /layers\.journal: holds unfinished work with other settings \((.*, )?pool/);
    const { stdout } = await layers("--batch", "2", "-C", "1", "--json");
    assert.deepEqual(
      (JSON.parse(stdout) as { C: number }[]).map(({ C }) => C),
      taps.map(() => 1),
    );
  });

  const wrong: [title: string, args: () => Promise<string[]>, message: RegExp][] = [
    [
      "no test images",
      () => Promise.resolve(["--train", train]),
      /expected either --test or --test-fraction/,
    ],
    [
      "images without classes",
      () => Promise.resolve(["--train", join(train, "red"), "--test", test]),
      /images without classes \(.*red.*\); put the images of each class into a folder/,
    ],
    [
      "test images of a class without training images",
      async () => {
        await mkdir(join(test, "green"));
        await writeImage(join(test, "green", "0.png"), 0x00ff00);
        return ["--train", train, "--test", test];
      },
      /the test images have the class "green"/,
    ],
    [
      "more shots than images",
      () => Promise.resolve(["--train", train, "--test", test, "--shots", "9"]),
      /the class "blue" has 3 images, expected 9 for 9 shots/,
    ],
    [
      "a missing folder",
      () => Promise.resolve(["--train", train, "--test", "nowhere"]),
      /^clipscope: nowhere: no such file or folder\n$/,
    ],
    [
      "a fraction of 1",
      () => Promise.resolve(["--train", train, "--test-fraction", "1"]),
      /Expected a number between 0 and 1/,
    ],
    [
      "a file as the output directory",
      async () => {
        await writeFile(out, "");
        return ["--train", train, "--test", test];
      },
      /layers: .*(exist|file|folder)/,
    ],
  ];
  for (const [title, args, message] of wrong) {
    it(`refuses ${title}`, async () => {
      const { status, stdout, stderr } = await clipscope([
        "probe",
        "layers",
        ...(await args()),
        "--out",
        out,
      ]);
      assert.deepEqual([status, stdout], [2, ""]);
      assert.match(stderr, message);
      assert.equal(stderr.split("\n").length, 2);
    });
  }
});
