import assert from "node:assert/strict";
import { memory } from "@tensorflow/tfjs-core";
import { modelDigest } from "../../lib/features/model-digest.ts";
import { textHead } from "../../lib/probe/text-head.ts";
import { zeroShotClassifier } from "../../lib/tasks/zero-shot.ts";
import { openTinyClip } from "../support/tiny-clip.ts";

describe("textHead", () => {
  it("has the unit embeddings of the class names, row by row, and the model's scale", async () => {
    const model = await openTinyClip();
    const classNames = ["cat", "dog", "bird"];
    const metadata = { model_sha256: await modelDigest(model, "image") };
    const rest = { values: new Float32Array(24), rows: 1, width: 24, labels: [0], paths: null };
    const templates = ["a {}", "the {}"];
    const classifier = await zeroShotClassifier(model, classNames, templates);
    const columns = await classifier.weight.array();
    classifier.dispose();
    await model.logitScale.load();
    const tensors = memory().numTensors;
    const head = await textHead(model, { name: "x", classNames, metadata, ...rest }, templates);
    assert.equal(memory().numTensors, tensors);
    const expected = classNames.flatMap((_, c) => columns.map((row) => row[c]!));
    assert.deepEqual([...head.embeddings], expected);
    const [scale] = await model.logitScale.tensor.data();
    assert.ok(Math.abs(head.scale - Math.exp(scale!)) < 1e-6);
    await model.dispose();
  });
});
