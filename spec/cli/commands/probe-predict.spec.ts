import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { openProbe, predictImage } from "../../../lib/node/features/probes.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { clipscope, type Result } from "../../support/cli.ts";
import { writeImage } from "../../support/images.ts";
import { writeColourFolders, writePoints } from "../../support/probe-files.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("clipscope probe predict", () => {
  const folder = temporaryFolder();
  let features: string;
  let probe: string;

  beforeEach(() => {
    features = folder.file("features.safetensors");
    probe = folder.file("probe.safetensors");
  });

  const fit = (...more: string[]): Promise<Result> =>
    clipscope(["probe", "fit", "--features", features, "--out", probe, ...more]);
  const evaluate = (...more: string[]): Promise<Result> =>
    clipscope(["probe", "eval", "--probe", probe, "--features", features, ...more]);

  it("classifies images like the library; eval compares with zero-shot", async () => {
    const images = folder.file("images");
    await writeColourFolders(images);
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
    assert.deepEqual(await predictImage(model, await openProbe(probe), red), result.scores);
    await model.dispose();
    const table = await clipscope(["probe", "predict", "--probe", probe, red, "nowhere.png", "--top", "1"]);
    assert.equal(table.status, 2);
    assert.match(table.stdout, /red\/0\.png\n {2}red +\d+\.\d%/);
    assert.match(table.stderr, /nowhere\.png: no such file/);
  });

  it("classifies the rows of features; CSV has the probabilities of all classes", async () => {
    await writePoints(features, [0, 0, 1, 1], { classNames: ["left, far", "right"] });
    await fit();
    const args = ["probe", "predict", "--probe", probe, "--features", features];
    const out = folder.file("predictions.csv");
    const written = await clipscope([...args, "--out", out]);
    assert.deepEqual([written.status, written.stdout], [0, `${out}: 4 rows, probabilities of 2 classes\n`]);
    const csv = await readFile(out, "utf8");
    assert.equal((await clipscope([...args, "--out", "-"])).stdout, csv);
    const [titles, ...rows] = csv.trimEnd().split("\r\n");
    assert.equal(titles, 'path,prediction,"left, far",right');
    assert.equal(rows.length, 4);
    const { stdout } = await clipscope([...args, "--json"]);
    const predictions = JSON.parse(stdout) as {
      path: string;
      scores: { label: string; probability: number }[];
    }[];
    for (const [i, row] of rows.entries()) {
      const [, path, best, left, right] = /^(\d),("left, far"|right),([\d.e-]+),([\d.e-]+)$/.exec(row)!;
      const { scores } = predictions[i]!;
      assert.deepEqual([path, best!.replaceAll('"', "")], [predictions[i]!.path, scores[0]!.label]);
      const of = (label: string): number => scores.find((score) => score.label === label)!.probability;
      assert.ok(Math.abs(Number(left) - of("left, far")) < 1e-6);
      assert.ok(Math.abs(Number(right) - of("right")) < 1e-6);
    }
  });

  it("writes CSV for images too, with the same probabilities as for their features", async () => {
    const images = folder.file("images");
    await writeColourFolders(images);
    await clipscope(["embed", "--images", images, "--out", features]);
    await fit();
    const args = ["probe", "predict", "--probe", probe, "--out", "-"];
    const [ofImages, ofFeatures] = [
      await clipscope([...args, images]),
      await clipscope([...args, "--features", features]),
    ];
    const cells = ({ stdout }: Result): string[][] => stdout.split("\r\n").map((row) => row.split(","));
    assert.equal(cells(ofImages).length, 8);
    for (const [i, [path, best, ...probabilities]] of cells(ofFeatures).entries()) {
      const [otherPath, otherBest, ...others] = cells(ofImages)[i]!;
      assert.deepEqual([path, best], [otherPath, otherBest]);
      for (const [c, probability] of probabilities.entries()) {
        if (i > 0) assert.ok(Math.abs(Number(probability) - Number(others[c])) < 1e-4);
      }
    }
  });

  const refused: [title: string, args: string[], message: RegExp][] = [
    ["neither images nor features", [], /expected either images or --features, found none/],
    ["both", ["a.png", "--features", "f.safetensors"], /expected either images or --features, found both/],
    ["--top with CSV", ["a.png", "--out", "a.csv", "--top", "1"], /--top has no effect with --out/],
    [
      "JSON and CSV on standard output",
      ["a.png", "--out", "-", "--json"],
      /--out -: prints CSV, which --json excludes/,
    ],
  ];
  for (const [title, args, message] of refused) {
    it(`refuses ${title}`, async () => {
      const { status, stderr } = await clipscope(["probe", "predict", "--probe", probe, ...args]);
      assert.deepEqual([status, stderr.split("\n").length], [2, 2]);
      assert.match(stderr, message);
    });
  }

  it("refuses to overwrite the probe or the features, and leaves no part of a file", async () => {
    await writePoints(features, [0, 0, 1, 1]);
    await fit();
    for (const out of [features, probe]) {
      const { stderr } = await clipscope([
        "probe",
        "predict",
        "--probe",
        probe,
        "--features",
        features,
        "--out",
        out,
      ]);
      assert.match(stderr, /is an input, which would be overwritten/);
    }
    const missing = folder.file("missing.png");
    const csv = folder.file("out.csv");
    const { status } = await clipscope(["probe", "predict", "--probe", probe, missing, "--out", csv]);
    assert.equal(status, 2);
    assert.deepEqual(existsSync(csv), false);
  });

  it("refuses a probe for another model", async () => {
    await writePoints(features, [0, 0, 1, 1], { metadata: { model: "a", model_sha256: "0" } });
    await fit();
    const image = folder.file("red.png");
    await writeImage(image, 0xff0000);
    const { status, stderr } = await clipscope(["probe", "predict", "--probe", probe, image]);
    assert.equal(status, 2);
    assert.match(
      stderr,
      /^clipscope: .*another model than the model in use: expected demo-model.*, found a \(0\)\n$/,
    );
  });
});
