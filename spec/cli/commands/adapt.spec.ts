import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { openProbe } from "../../../lib/node/features/probes.ts";
import { readFeatures, writeFeatures } from "../../../lib/node/features/features-files.ts";
import { writeUnseenImages } from "../../../tools/demo-model/unseen-images.ts";
import { clipscope, type Result } from "../../support/cli.ts";
import { temporaryFolder } from "../../support/temporary.ts";

interface Report {
  readonly trainingAccuracy: number;
  readonly chosen: Readonly<Record<string, unknown>>;
  readonly validation: { readonly zeroShot: number; readonly adapted: number } | null;
}

describe("clipscope adapt", () => {
  const folder = temporaryFolder();
  const file = (name: string): string => folder.file(`${name}.safetensors`);

  beforeEach(async () => {
    for (const [seed, split] of ["train", "validation", "test"].entries()) {
      const out = folder.file(split);
      await writeUnseenImages({ task: "fill", out, count: 4, seed: seed + 1, width: 84, height: 84 });
      assert.equal((await clipscope(["embed", "--images", out, "--out", file(split)])).status, 0);
    }
  });

  const adapt = (...more: string[]): Promise<Result> =>
    clipscope(["adapt", "--features", file("train"), "--out", file("probe"), ...more]);

  async function report(...more: string[]): Promise<Report> {
    const { status, stdout, stderr } = await adapt("--json", ...more);
    assert.deepEqual([status, stderr], [0, ""]);
    return JSON.parse(stdout) as Report;
  }

  it("writes a probe that probe eval and probe predict take, by every method", async () => {
    const chosen = {
      head: ["penalty", "trials"],
      "tip-adapter": ["alpha", "beta"],
      "tip-adapter-f": ["alpha", "beta", "epoch", "accuracies"],
    };
    for (const [method, names] of Object.entries(chosen)) {
      const found = await report("--method", method, "--validation", file("validation"));
      assert.deepEqual(Object.keys(found.chosen), names);
      assert.ok(found.validation!.adapted > found.validation!.zeroShot, method);
      const probe = await openProbe(file("probe"));
      assert.deepEqual([probe.metadata["recipe"], probe.cache !== undefined], [method, method !== "head"]);
      assert.equal(probe.metadata["training_accuracy"], `${found.trainingAccuracy}`);
      const measured = await clipscope([
        "probe",
        "eval",
        "--json",
        "--probe",
        file("probe"),
        "--features",
        file("validation"),
      ]);
      const { lp_acc1: accuracy } = JSON.parse(measured.stdout) as { lp_acc1: number };
      assert.ok(Math.abs(accuracy - found.validation!.adapted) < 1e-9, method);
      // Images, and their features, are classified alike.
      const image = folder.file("test/dotted/000.png");
      const predictions = [[image], ["--features", file("test")]].map(async (input) => {
        const { stdout } = await clipscope([
          "probe",
          "predict",
          "--json",
          "--probe",
          file("probe"),
          ...input,
        ]);
        return (JSON.parse(stdout) as { scores: { label: string; probability: number }[] }[])[0]!.scores;
      });
      const [ofImage, ofFeatures] = await Promise.all(predictions);
      for (const [i, { label, probability }] of ofImage!.entries()) {
        assert.equal(ofFeatures![i]!.label, label);
        assert.ok(Math.abs(ofFeatures![i]!.probability - probability) < 1e-4);
      }
    }
  });

  it("uses given settings without a validation split, and few examples per class", async () => {
    const tip = await report("--method", "tip-adapter", "--alpha", "2", "--beta", "3", "--shots", "2");
    assert.deepEqual([tip.chosen, tip.validation], [{}, null]);
    const { cache } = await openProbe(file("probe"));
    assert.deepEqual([cache!.labels.length, cache!.alpha, cache!.beta], [8, 2, 3]);
    const head = await report("--penalty", "5", "--shots", "1", "--seed", "3");
    assert.deepEqual(head.chosen, { penalty: 5, trials: [] });
    const { stdout } = await adapt("--penalty", "5");
    assert.match(
      stdout,
      /^.*probe\.safetensors: head, 4 classes, 16 rows, training accuracy [\d.]+%\nchosen: penalty 5\n$/,
    );
  });

  it("refuses what it cannot adapt, and writes nothing", async () => {
    const features = await readFeatures(file("train"));
    const nameless = Object.fromEntries(
      Object.entries(features.metadata).filter(([key]) => key !== "class_names"),
    );
    await writeFeatures(file("nameless"), { ...features, classNames: null, metadata: nameless });
    await writeFeatures(file("other"), {
      ...features,
      metadata: { ...features.metadata, model_sha256: "0".repeat(64) },
    });
    const before = (await readdir(folder.path)).sort();
    for (const [args, message] of [
      [
        ["--method", "tip-adapter"],
        /tip-adapter chooses alpha and beta on a validation split, and none is given/,
      ],
      [
        ["--method", "tip-adapter-f", "--alpha", "1", "--beta", "1"],
        /tip-adapter-f chooses the epoch, alpha and beta on/,
      ],
      [["--alpha", "1"], /--alpha has no effect with the method head/],
      [["--method", "tip-adapter", "--beta", "1"], /expected --alpha and --beta together/],
      [["--seed", "1"], /--seed has no effect with the method head without --shots/],
      [["--shots", "9"], /the class "dotted" has 4 rows, expected 9 for 9 shots/],
      [
        ["--features", file("nameless")],
        /adapters begin with the names of the classes, but the classes have no names/,
      ],
      [["--features", file("other")], /another model \(.*\) made the features; pass it with --model/],
      [["--out", file("train")], /train\.safetensors: is an input, which would be overwritten/],
    ] as const) {
      const given = new Map([
        ["--features", file("train")],
        ["--out", file("probe")],
      ]);
      const rest: string[] = [];
      for (let i = 0; i < args.length; i += 2) {
        if (given.has(args[i]!)) given.set(args[i]!, args[i + 1]!);
        else rest.push(args[i]!, args[i + 1]!);
      }
      const { status, stdout, stderr } = await clipscope(["adapt", ...[...given].flat(), ...rest]);
      assert.deepEqual([status, stdout], [2, ""], args.join(" "));
      assert.match(stderr, message);
    }
    assert.deepEqual((await readdir(folder.path)).sort(), before);
  });
});
