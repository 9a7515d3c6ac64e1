import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile, rm, writeFile } from "node:fs/promises";
import { openProbe } from "../../../lib/node/features/probes.ts";
import { clipscope, type Result } from "../../support/cli.ts";
import { aroundFileCalls } from "../../support/faults/file-calls.ts";
import { writePoints } from "../../support/probe-files.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("clipscope probe fit", () => {
  const folder = temporaryFolder();
  let features: string;
  let probe: string;

  beforeEach(async () => {
    features = folder.file("features.safetensors");
    probe = folder.file("probe.safetensors");
    await writePoints(features, [0, 0, 1, 1, 0, 1], { classNames: ["left", "right"] });
  });

  const fit = (...more: string[]): Promise<Result> =>
    clipscope(["probe", "fit", "--features", features, "--out", probe, ...more]);

  it("writes a probe with logistic regression by default", async () => {
    const fitted = await fit();
    assert.deepEqual(fitted, {
      status: 0,
      stdout: `${probe}: 2 classes, 6 rows of 2 numbers, training accuracy 100.0%\n`,
      stderr: "",
    });
    const { weight, bias, metadata, classNames } = await openProbe(probe);
    assert.deepEqual([weight.length, bias.length, classNames], [4, 2, ["left", "right"]]);
    assert.ok(
      Math.abs(weight[0]! + weight[2]!) < 1e-6,
      "two classes are the rows of one solution, −w/2 and w/2",
    );
    assert.deepEqual([metadata["recipe"], metadata["training_accuracy"]], ["logistic-regression", "1"]);
    assert.equal((JSON.parse(metadata["settings"]!) as { C: number }).C, 0.316);
  });

  it("-C sweep prints the cross-validation table", async () => {
    const { status, stdout } = await fit("-C", "sweep");
    assert.equal(status, 0);
    assert.equal(stdout.split("\n").filter((line) => / ± /.test(line)).length, 13);
    assert.match(stdout, /^ +C +cross-validation accuracy\n[^]*% +best\n/);
  });

  it("saves the probe before it prints, since the reader of a pipe may leave at the first line", async () => {
    await writePoints(features, [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
    for (const options of [
      ["-C", "sweep"],
      ["--recipe", "clip-benchmark", "--validation", features],
      ["-C", "sweep", "--folds", "2"],
    ]) {
      await rm(probe, { force: true });
      const saved: boolean[] = [];
      const { status } = await clipscope(
        ["probe", "fit", "--features", features, "--out", probe, ...options],
        { onPrint: () => saved.push(existsSync(probe)) },
      );
      assert.equal(status, 0);
      assert.deepEqual(new Set(saved), new Set([true]), options.join(" "));
    }
  });

  it("saves the probe before it is measured, and again with its accuracy", async () => {
    const saved: (string | undefined)[] = [];
    const restore = await aroundFileCalls(folder.path, async ({ name, paths, proceed }) => {
      const result: unknown = await proceed();
      if (name === "rename" && paths[1] === probe) {
        saved.push((await openProbe(probe)).metadata["training_accuracy"]);
      }
      return result;
    });
    try {
      assert.equal((await fit()).status, 0);
    } finally {
      restore();
    }
    assert.deepEqual(saved, [undefined, "1"]);
  });

  it("leaves the previous probe if the folds are refused", async () => {
    await writeFile(probe, "an earlier run's");
    assert.equal((await fit("--folds", "7")).status, 2);
    assert.equal(await readFile(probe, "utf8"), "an earlier run's");
  });

  it("--recipe clip-benchmark chooses the weight decay on --validation", async () => {
    const { status, stdout } = await fit("--recipe", "clip-benchmark", "--validation", features);
    assert.equal(status, 0);
    assert.match(stdout, /^weight decay +validation accuracy\n +1\.00e-6 +100\.0% +best\n/);
    const { metadata } = await openProbe(probe);
    assert.deepEqual([metadata["recipe"], metadata["normalized"]], ["clip-benchmark", "true"]);
  });

  it("reads labels from a file or standard input, and fits on --shots per class", async () => {
    const labels = folder.file("labels.txt");
    await writeFile(labels, "a\na\nb\nb\na\nb\n");
    const { stdout } = await fit("--labels", labels, "--shots", "2", "--json");
    assert.equal((JSON.parse(stdout) as { rows: number }).rows, 4);
    assert.deepEqual((await openProbe(probe)).classNames, ["a", "b"]);
    const args = ["probe", "fit", "--features", features, "--out", probe, "--labels", "-"];
    assert.equal((await clipscope(args, { stdin: "c\nc\nd\nd\nc\nd\n" })).status, 0);
    assert.deepEqual((await openProbe(probe)).classNames, ["c", "d"]);
  });

  const refused: [title: string, write: () => Promise<void>, message: RegExp, args?: string[]][] = [
    ["features without labels", () => writePoints(features, null), /no labels; embed a folder/],
    ["one class only", () => writePoints(features, [0, 0, 0]), /all 3 rows are of the class 0/],
    [
      "features that are not finite",
      () => writePoints(features, [0, 1, 1], { bad: 1 }),
      /row 1 .* holds NaN/,
    ],
    [
      "fewer samples than classes",
      () => writePoints(features, [0, 2], { classNames: ["a", "b", "c"] }),
      /1 of the 3 classes have no rows among the 2 \("b"\)/,
    ],
    [
      "labels without a class name",
      () => writePoints(features, [0, 1, 2], { classNames: ["a", "b"] }),
      /the label of row 2 is 2, expected 0 to 1/,
    ],
    ["a file in another format", () => writeFile(features, "nothing at all"), /not a valid safetensors file/],
    [
      "more shots than rows",
      () => writePoints(features, [0, 0, 1]),
      /has 1 rows, expected 2/,
      ["--shots", "2"],
    ],
    [
      "options of the other recipe",
      () => Promise.resolve(),
      /^clipscope: -C has no effect with the recipe clip-benchmark\n$/,
      ["-C", "1", "--recipe", "clip-benchmark"],
    ],
    [
      "a C that is not a number",
      () => Promise.resolve(),
      /Expected a number above 0, or "sweep"/,
      ["-C", "0"],
    ],
  ];
  for (const [title, write, message, args = []] of refused) {
    it(`refuses ${title} and keeps the existing probe`, async () => {
      await write();
      await writeFile(probe, "the old probe");
      const { status, stdout, stderr } = await fit(...args);
      assert.deepEqual([status, stdout, stderr.split("\n").length], [2, "", 2]);
      assert.match(stderr, message);
      assert.equal(await readFile(probe, "utf8"), "the old probe");
    });
  }

  it("keeps the ids that are labels, up to the predictions", async () => {
    const ids = [999_999_999, 7, 2 ** 40];
    await writePoints(features, [7, 999_999_999, 7, 2 ** 40, 999_999_999, 2 ** 40]);
    const fitted = await fit();
    assert.deepEqual([fitted.status, fitted.stderr], [0, ""]);
    assert.match(fitted.stdout, /: 3 classes, 6 rows/);
    const { classIds, classNames, metadata } = await openProbe(probe);
    assert.deepEqual(
      [classIds, classNames],
      [ids.toSorted((a, b) => a - b), ["7", "999999999", "1099511627776"]],
    );
    assert.equal(metadata["class_ids"], "[7,999999999,1099511627776]");
    const evaluated = await clipscope(["probe", "eval", "--probe", probe, "--features", features, "--json"]);
    assert.match(evaluated.stdout, /^\{"lp_acc1":\d/);
    const predicted = await clipscope([
      "probe",
      "predict",
      "--probe",
      probe,
      "--features",
      features,
      "--json",
    ]);
    const [first] = JSON.parse(predicted.stdout) as [{ scores: { label: string }[] }];
    assert.deepEqual(first.scores.map(({ label }) => label).sort(), [...classNames].sort());
    // A part of the classes, in another file, means the same classes.
    await writePoints(features, [999_999_999, 999_999_999]);
    assert.equal((await clipscope(["probe", "eval", "--probe", probe, "--features", features])).status, 0);
    await writePoints(features, [7, 8]);
    const unknown = await clipscope(["probe", "eval", "--probe", probe, "--features", features]);
    assert.match(
      unknown.stderr,
      /the label of row 1 is 8, but the probe .* has 3 classes and this label is not/,
    );
  });

  it("says on standard error and in JSON if the fit stopped before the minimum", async () => {
    const { status, stdout, stderr } = await fit("--max-iterations", "1", "--json");
    assert.equal(status, 0);
    assert.match(
      stderr,
      /^clipscope: the fit stopped at the limit of 1 iterations, before the minimum; raise --max-iterations, or lower -C\n$/,
    );
    const { converged, iterations } = JSON.parse(stdout) as { converged: boolean; iterations: number };
    assert.deepEqual([converged, iterations], [false, 1]);
    assert.equal(
      (JSON.parse((await openProbe(probe)).metadata["settings"]!) as { converged: boolean }).converged,
      false,
    );
    const swept = await fit("--max-iterations", "1", "-C", "sweep");
    assert.match(swept.stderr, /^clipscope: 39 of the 39 fits of the sweep stopped before the minimum\n/);
  });

  it("--folds measures the held-out accuracy, with an interval", async () => {
    await writePoints(features, [0, 1, 0, 1, 0, 1, 0, 1, 0, 1, 0, 1]);
    const { stdout } = await fit("--folds", "3");
    assert.match(
      stdout,
      /training accuracy 100\.0%\nheld-out accuracy 100\.0% ± 0\.0% \(mean of 3 folds, 95% interval\)\n$/,
    );
    const { folds } = JSON.parse((await fit("--folds", "3", "--json")).stdout) as { folds: unknown };
    assert.deepEqual(folds, { accuracies: [1, 1, 1], mean: 1, interval: [1, 1] });
    assert.match(
      (await fit("--folds", "7")).stderr,
      /the class 0 has 6 rows, expected 7 or more for 7 folds/,
    );
    assert.match((await fit("--folds", "1")).stderr, /Expected a whole number from 2 to 1000/);
  });

  it("--seeds fits a probe for each seed; eval gives their mean, with an interval", async () => {
    const pattern = folder.file("probe-{seed}.safetensors");
    const args = [
      "probe",
      "fit",
      "--features",
      features,
      "--out",
      pattern,
      "--shots",
      "1",
      "--seeds",
      "3",
      "--seed",
      "4",
    ];
    const { status, stdout } = await clipscope(args);
    assert.equal(status, 0);
    const lines = stdout.trimEnd().split("\n");
    assert.deepEqual(
      lines.slice(0, 3).map((line) => line.split(":")[0]),
      [4, 5, 6].map((seed) => folder.file(`probe-${seed}.safetensors`)),
    );
    assert.match(lines[3]!, /^training accuracy 100\.0% ± 0\.0% \(mean of 3 seeds, 95% interval\)$/);
    const json = JSON.parse((await clipscope([...args, "--json"])).stdout) as { seeds: { seed: number }[] };
    assert.deepEqual(
      json.seeds.map(({ seed }) => seed),
      [4, 5, 6],
    );
    // The first of the seeds is what a single fit with --seed gives.
    await fit("--shots", "1", "--seed", "4");
    assert.deepEqual(
      (await openProbe(probe)).weight,
      (await openProbe(folder.file("probe-4.safetensors"))).weight,
    );
    const several = [
      "probe",
      "eval",
      "--probe",
      pattern,
      "--seeds",
      "3",
      "--seed",
      "4",
      "--features",
      features,
    ];
    assert.match((await clipscope(several)).stdout, /\nmean, 95% interval +\d+\.\d% ± \d+\.\d% +– /);
    const figures = JSON.parse((await clipscope([...several, "--json"])).stdout) as {
      lp_acc1: { mean: number; interval: [number, number] };
      lp_acc5: null;
      probes: { lp_acc1: number }[];
    };
    assert.equal(figures.lp_acc5, null);
    const sum = figures.probes.reduce((total, { lp_acc1 }) => total + lp_acc1, 0);
    assert.ok(Math.abs(figures.lp_acc1.mean - sum / 3) < 1e-12);
    assert.ok(figures.lp_acc1.interval[0] <= figures.lp_acc1.mean);
  });

  it("refuses seeds that change nothing, and several seeds for one file", async () => {
    assert.match(
      (await fit("--seeds", "2")).stderr,
      /--seeds has no effect with the recipe logistic-regression without --shots/,
    );
    assert.match(
      (await fit("--seeds", "2", "--shots", "1")).stderr,
      /expected \{seed\} in the name, where 2 seeds have a file each/,
    );
    const both = await fit("--seeds", "2", "--shots", "1", "--folds", "2");
    assert.match(both.stderr, /expected either --seeds or --folds, found both/);
  });

  it("refuses to overwrite the features", async () => {
    const before = await readFile(features);
    const { status, stderr } = await clipscope(["probe", "fit", "--features", features, "--out", features]);
    assert.equal(status, 2);
    assert.match(stderr, /^clipscope: .*: is an input, which would be overwritten; write to another file\n$/);
    assert.deepEqual(await readFile(features), before);
  });

  it("refuses labels that do not match the features", async () => {
    const labels = folder.file("labels.txt");
    await writeFile(labels, "a\nb\n");
    assert.match(
      (await fit("--labels", labels)).stderr,
      /labels\.txt with .*: 2 labels for 6 rows of features/,
    );
  });
});
