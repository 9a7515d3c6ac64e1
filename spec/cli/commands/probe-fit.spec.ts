import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { openProbe } from "../../../lib/node/features/probes.ts";
import { clipscope, type Result } from "../../support/cli.ts";
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
