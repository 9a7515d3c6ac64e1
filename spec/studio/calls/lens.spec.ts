/** Against lib/study, whose lens is compared with PyTorch's in spec/study/lens.spec.ts, and against `probe predict`. */
import assert from "node:assert/strict";
import { cp, mkdir, readFile } from "node:fs/promises";
import { tensor4d } from "@tensorflow/tfjs-core";
import { demoModel } from "../../../lib/node/models/model-directory.ts";
import { lens, patchLens, probeLens } from "../../../lib/studio/calls/lens.ts";
import type { Passes } from "../../../lib/studio/passes.ts";
import { lens as studyLens, tokenLens } from "../../../lib/study/lens.ts";
import { imageStream } from "../../../lib/study/stream.ts";
import { zeroShotClassifier } from "../../../lib/tasks/zero-shot.ts";
import { clipscope } from "../../support/cli.ts";
import { assertNear } from "../../support/near.ts";
import { demoPasses, recordingContext, sampleImage } from "../../support/passes.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("the calls of the lens", () => {
  const folder = temporaryFolder();
  const context = recordingContext();
  const question = { labels: ["three brown stars", "zwei rote Kreise"], templates: ["{}"] };
  let passes: Passes;
  let trace: string;
  before(async () => {
    passes = await demoPasses();
    trace = (await passes.image(await sampleImage("three-brown-stars"), {})).result.trace;
  });
  after(() => passes.model.dispose());

  it("give the scores of the library", async () => {
    const { model } = passes;
    const values = await passes.find(trace).trace.read("input.image");
    const pixels = tensor4d(values, [1, 3, ...model.preprocess.size]);
    const stream = await imageStream(model, pixels);
    const classifier = await zeroShotClassifier(model, question.labels, question.templates);
    assert.deepEqual(
      await lens(passes, { trace, ...question }, context),
      await studyLens(model, stream, classifier),
    );
    assert.deepEqual(
      await patchLens(passes, { trace, layer: 2, ...question }, context),
      await tokenLens(model, stream, classifier, 2),
    );
    classifier.dispose();
    pixels.dispose();
    await assert.rejects(
      async () => patchLens(passes, { trace, layer: 4, ...question }, context),
      /layer 4: the image tower has the layers 0 to 3/,
    );
  });

  it("asks probes as probe predict does, on the tap and with the pooling of each", async () => {
    for (const [label, sample] of [
      ["stars", "three-brown-stars.png"],
      ["circles", "two-red-circles.png"],
    ] as const) {
      await mkdir(folder.file(`images/${label}`), { recursive: true });
      await cp(`${demoModel}/samples/${sample}`, folder.file(`images/${label}/${sample}`));
    }
    const image = `${demoModel}/samples/three-brown-stars.png`;
    for (const [tap, pool, layer] of [
      ["visual.transformer.resblocks.1", "class", 1],
      ["visual.transformer.resblocks.2", "mean", 2],
      ["visual", "class", null],
    ] as const) {
      const [features, probe] = [folder.file("features.safetensors"), folder.file("probe.safetensors")];
      const tapped = ["--tap", tap, "--pool", pool];
      for (const args of [
        ["embed", "--images", folder.file("images"), "--out", features, ...tapped],
        ["probe", "fit", "--features", features, "--out", probe],
      ]) {
        const { status, stderr } = await clipscope(args);
        assert.equal(status, 0, stderr);
      }
      const { stdout } = await clipscope(["probe", "predict", image, "--probe", probe, "--json"]);
      const [{ scores }] = JSON.parse(stdout) as [{ scores: { label: string; probability: number }[] }];
      const file = { name: "probe.safetensors", bytes: await readFile(probe) };
      const [answer] = await probeLens(passes, { trace, probes: [file] }, context);
      assert.deepEqual([answer!.tap, answer!.layer], [tap, layer]);
      const ours = scores.map(({ label }) => answer!.probabilities[answer!.classes.indexOf(label)]!);
      const theirs = scores.map(({ probability }) => probability);
      assertNear(ours, theirs, 1e-5);
    }
  });

  it("refuses a file that is no probe", async () => {
    const probes = [{ name: "notes.safetensors", bytes: new Uint8Array(40) }];
    await assert.rejects(async () => probeLens(passes, { trace, probes }, context), /notes\.safetensors/);
  });
});
