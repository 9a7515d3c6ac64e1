/** Against the library, which is compared with scikit-learn in spec/probe. */
import assert from "node:assert/strict";
import { memory } from "@tensorflow/tfjs-core";
import { fitProbe } from "../../../lib/probe/fit.ts";
import { decodeProbe } from "../../../lib/probe/probe-file.ts";
import { acceptFeatures, embedTaps, embedText } from "../../../lib/studio/calls/embed.ts";
import { fitLinearProbe, predictByProbe, type FitProgress } from "../../../lib/studio/calls/probe.ts";
import type { Passes } from "../../../lib/studio/passes.ts";
import { BytesSource } from "../../../lib/tensor/bytes-source.ts";
import { demoPasses, recordingContext, sampleImage } from "../../support/passes.ts";
import { randomFeatures } from "../../support/random-features.ts";

describe("the calls of probes and searches", () => {
  let passes: Passes;
  before(async () => {
    passes = await demoPasses();
  });
  after(() => passes.model.dispose());

  const { values, labels } = randomFeatures(60, 10, 3);
  const params = { values, labels, classNames: ["a", "b", "c"], metadata: { tap: "visual" }, C: 0.316 };

  it("fit a probe as the library does, and send each iteration", async () => {
    const context = recordingContext<FitProgress>();
    const before = memory().numTensors;
    const { file, iterations, trainingAccuracy, heldOut } = await fitLinearProbe(passes, params, context);
    const expected = fitProbe({ ...params, name: "x", rows: 60, width: 10, paths: null });
    const probe = await decodeProbe(new BytesSource("probe", file));
    assert.deepEqual(probe.weight, expected.probe.weight);
    assert.equal(iterations, expected.iterations);
    assert.equal(trainingAccuracy, expected.trainingAccuracy);
    assert.equal(heldOut!.accuracies.length, 5);
    assert.equal(context.updates.length, iterations + 1);
    assert.ok(Math.abs(context.updates[0]!.loss - Math.log(3)) < 1e-9, "at zero weights");
    assert.equal(context.updates.at(-1)!.accuracy, trainingAccuracy);
    assert.equal(memory().numTensors, before);
  });

  it("hold nothing out where a class has a single row, and refuse one without rows", async () => {
    const context = recordingContext<FitProgress>();
    const single = { ...params, values: values.subarray(0, 30), labels: [0, 1, 2] };
    assert.equal((await fitLinearProbe(passes, single, context)).heldOut, null);
    const missing = { ...single, labels: [0, 1, 1] };
    await assert.rejects(
      async () => fitLinearProbe(passes, missing, context),
      /1 of the 3 classes have no rows/,
    );
  });

  it("embed all taps of images in one pass, and name those that cannot be read", async () => {
    const images = [
      await sampleImage("two-red-circles"),
      { key: "x", name: "x.png", bytes: new Uint8Array(9) },
    ];
    const taps = ["visual.transformer.resblocks.1", "visual"];
    const options = { images, taps, pool: "mean", exifOrientation: false } as const;
    const { features, indices, failures, metadata } = await embedTaps(passes, options, recordingContext());
    assert.deepEqual(indices, [0]);
    assert.match(failures[0]!.message, /^x\.png: expected an image/);
    assert.deepEqual(
      features.map(({ length }) => length),
      [96, 96],
    );
    assert.deepEqual([metadata[0]!["pool"], metadata[1]!["pool"]], ["mean", undefined]);
    const accepted = await acceptFeatures(passes, { name: "f", metadata: metadata[1]! }, recordingContext());
    assert.deepEqual(accepted, { exifOrientation: false });
    await assert.rejects(
      async () => acceptFeatures(passes, { name: "f", metadata: metadata[0]! }, recordingContext()),
      /f: expected features of the tap "visual"/,
    );
    await assert.rejects(
      async () =>
        acceptFeatures(passes, { name: "f", metadata: { model_sha256: "0".repeat(64) } }, recordingContext()),
      /f: made with another model than the model in use/,
    );
  });

  it("classify images with a probe, and give a text's embedding", async () => {
    const images = [await sampleImage("two-red-circles"), await sampleImage("three-brown-stars")];
    const options = { images, taps: ["visual"], pool: "class", exifOrientation: false } as const;
    const { features, metadata } = await embedTaps(passes, options, recordingContext());
    const { file } = await fitLinearProbe(
      passes,
      {
        values: features[0]!,
        labels: [0, 1],
        classNames: ["circles", "stars"],
        metadata: metadata[0]!,
        C: 100,
      },
      recordingContext<FitProgress>(),
    );
    const broken = { key: "x", name: "x.png", bytes: new Uint8Array(9) };
    const asked = { name: "p", bytes: file, images: [images[0]!, broken, images[1]!] };
    const { probabilities, classes, tap } = await predictByProbe(passes, asked, recordingContext());
    assert.deepEqual([classes, tap], [["circles", "stars"], "visual"]);
    assert.equal(probabilities[1], null);
    assert.ok(probabilities[0]![0]! > 0.5 && probabilities[2]![1]! > 0.5);
    const query = await embedText(passes, { text: "two red circles" }, recordingContext());
    assert.ok(Math.abs(query.reduce((sum, x) => sum + x * x, 0) - 1) < 1e-5);
  });
});
