import assert from "node:assert/strict";
import { readdir, writeFile } from "node:fs/promises";
import { saveProbe } from "../../../lib/node/features/probes.ts";
import { Probe } from "../../../lib/probe/probe.ts";
import { clipscope, type Result } from "../../support/cli.ts";
import { writePoints } from "../../support/probe-files.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("clipscope probe eval", () => {
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
  const evaluate = (...more: string[]): Promise<Result> =>
    clipscope(["probe", "eval", "--probe", probe, "--features", features, ...more]);

  it("prints accuracy, recall and precision", async () => {
    await fit();
    const { status, stdout } = await evaluate("--json");
    assert.deepEqual([status, stdout], [0, '{"lp_acc1":1,"lp_acc5":null,"lp_mean_per_class_recall":1}\n']);
    assert.match((await evaluate()).stdout, /^accuracy +100\.0%\n(.*\n)*left +3 +100\.0% +100\.0%\n/m);
  });

  it("measures a probe of the clip-benchmark recipe", async () => {
    await fit("--recipe", "clip-benchmark");
    assert.match((await evaluate("--json")).stdout, /^\{"lp_acc1":/);
  });

  it("reads labels from a file or standard input", async () => {
    await fit();
    const lines = "left\nleft\nright\nright\nleft\nleft\n";
    await writeFile(folder.file("labels.txt"), lines);
    const { stdout } = await evaluate("--labels", folder.file("labels.txt"), "--json");
    assert.match(stdout, /^\{"lp_acc1":0\.83/);
    const args = ["probe", "eval", "--probe", probe, "--features", features, "--labels", "-", "--json"];
    assert.equal((await clipscope(args, { stdin: lines })).stdout, stdout);
    assert.deepEqual(await clipscope(args, { stdin: "middle\n" }), {
      status: 2,
      stdout: "",
      stderr:
        'clipscope: standard input: line 1: unknown class "middle", expected one of the probe\'s 2 classes\n',
    });
  });

  it("shows the most frequent confusions if the matrix does not fit the terminal", async () => {
    await fit();
    const lines = "right\nleft\nright\nright\nleft\nright\n";
    const args = ["probe", "eval", "--probe", probe, "--features", features, "--labels", "-"];
    const wide = await clipscope(args, { stdin: lines, columns: 80, env: { NO_COLOR: "1" } });
    assert.match(wide.stdout, /\nrows: true class, columns: predicted class\n {8}1 {3}2\nleft {4}2 {3}·\n/);
    const narrow = await clipscope(args, { stdin: lines, columns: 10, env: { NO_COLOR: "1" } });
    assert.match(
      narrow.stdout,
      /\nmost frequent confusions\ncount +true class +predicted class\n +1 +right +left\n$/,
    );
  });

  it("draws no confusion matrix of more than 4,096 classes, and says so", async () => {
    const labels = Array.from({ length: 4097 }, (_, c) => c);
    await writePoints(features, labels);
    const wide = new Probe({
      name: "wide",
      weight: new Float32Array(2 * labels.length),
      bias: new Float32Array(labels.length),
      classNames: null,
      metadata: {},
    });
    await saveProbe(wide, probe);
    const charts = folder.file("charts");
    const { status, stderr } = await evaluate("--figures", charts, "--json");
    assert.deepEqual(
      [status, stderr],
      [0, "clipscope: no confusion matrix is drawn: it would have 4097 classes, the limit is 4096\n"],
    );
    assert.deepEqual(await readdir(charts), ["calibration.svg"]);
  });

  it("measures several probes, without charts", async () => {
    await fit();
    const several = await evaluate("--probe", probe);
    assert.match(several.stdout, /\nmean, 95% interval +100\.0% ± 0\.0%/);
    assert.match(
      (await evaluate("--probe", probe, "--figures", folder.path)).stderr,
      /--figures requires a single probe/,
    );
  });

  it("refuses features as the probe, and a probe as the features", async () => {
    await fit();
    const [swapped, other] = [
      await clipscope(["probe", "eval", "--probe", features, "--features", features]),
      await clipscope(["probe", "eval", "--probe", probe, "--features", probe]),
    ];
    assert.match(swapped.stderr, /expected a probe, found features; "clipscope probe fit" makes one/);
    assert.match(other.stderr, /expected features, found a probe; "clipscope embed" makes features/);
  });

  const refused: [title: string, metadata: Record<string, string>, message: RegExp, width?: number][] = [
    ["another dimension", {}, /features of 3 numbers, but the probe .* takes 2/, 3],
    ["another model", { model: "b" }, /made with another model than the probe .*: expected a, found b/],
    ["another tap", { tap: "visual.ln_post" }, /made with another tap than .* visual, found visual\.ln_post/],
    [
      "another normalisation",
      { normalized: "true" },
      /another normalization than .* expected false, found true/,
    ],
  ];
  for (const [title, metadata, message, width = 2] of refused) {
    it(`refuses features of ${title}`, async () => {
      const own = { model: "a", normalized: "false" };
      await writePoints(features, [0, 0, 1, 1], { metadata: own });
      await fit();
      await writePoints(features, [0, 0, 1, 1], { metadata: { ...own, ...metadata }, width });
      const { status, stdout, stderr } = await evaluate();
      assert.deepEqual([status, stdout, stderr.split("\n").length], [2, "", 2]);
      assert.match(stderr, message);
    });
  }
});
