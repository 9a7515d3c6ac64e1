import { strict as assert } from "node:assert";
import { memory, slice, tensor2d, type Rank, type Tensor4D } from "@tensorflow/tfjs-core";
import type { Clip } from "../../lib/clip/clip.ts";
import { lens, tokenLens } from "../../lib/study/lens.ts";
import { imageStream, type ResidualStream } from "../../lib/study/stream.ts";
import { ZeroShotClassifier } from "../../lib/tasks/zero-shot.ts";
import { loadTiny, openGolden, tinyGolden } from "../support/golden.ts";
import { assertNear } from "../support/near.ts";
import { withoutBlockingReads } from "../support/no-blocking-reads.ts";

describe("the lens", () => {
  let model: Clip;
  let pixels: Tensor4D;
  let classifier: ZeroShotClassifier;
  let stream: ResidualStream;
  before(async () => {
    model = await loadTiny("gelu-mlp", "streamed"); // three layers, seven tokens
    const golden = await openGolden(tinyGolden("gelu-mlp"));
    const images = golden.readImage()!;
    pixels = slice<Rank.R4, Tensor4D>(images, [0, 0, 0, 0], [1, -1, -1, -1]);
    images.dispose();
    await golden.close();
    const numbers = Array.from({ length: 24 * 3 }, (_, i) => Math.sin(i) / 4);
    classifier = new ZeroShotClassifier(model, ["a", "b", "c"], tensor2d(numbers, [24, 3]));
    stream = await imageStream(model, pixels);
  });
  after(async () => {
    pixels.dispose();
    classifier.dispose();
    await model.dispose();
  });

  it("of the class token after the last layer is the model's own answer", async () => {
    const before = memory().numTensors;
    const { probabilities, logits, cosines } = await withoutBlockingReads(() =>
      lens(model, stream, classifier),
    );
    assert.equal(memory().numTensors, before);
    const features = await model.encodeImage(pixels);
    const [scores = []] = await classifier.scores(features);
    features.dispose();
    const byLabel = [...scores].sort((a, b) => a.label.localeCompare(b.label));
    assert.deepEqual([probabilities.length, logits.length, cosines.length], [3, 3, 3]);
    assertNear(
      probabilities.at(-1)!,
      byLabel.map(({ probability }) => probability),
      1e-6,
    );
    assertNear(
      logits.at(-1)!,
      byLabel.map(({ logit }) => logit),
      1e-5,
    );
    const scale = logits[0]![0]! / cosines[0]![0]!;
    for (const [layer, row] of cosines.entries()) {
      assertNear(
        row.map((cosine) => cosine * scale),
        logits[layer]!,
        1e-4,
      );
      assert.ok(row.every((cosine) => Math.abs(cosine) <= 1));
      assertNear([probabilities[layer]!.reduce((a, b) => a + b)], [1], 1e-6);
    }
  });

  it("of all tokens has the class token first", async () => {
    const ofClass = await lens(model, stream, classifier);
    for (const layer of [0, 2]) {
      const { probabilities } = await tokenLens(model, stream, classifier, layer);
      assert.equal(probabilities.length, 7);
      assertNear(probabilities[0]!, ofClass.probabilities[layer]!, 1e-6);
      assert.notDeepEqual(probabilities[1], probabilities[0]);
    }
  });

  it("refuses a layer that the tower does not have", async () => {
    for (const layer of [3, -1, 0.5]) {
      await assert.rejects(tokenLens(model, stream, classifier, layer), {
        name: "InputError",
        message: `layer ${layer}: the image tower has the layers 0 to 2`,
      });
    }
  });
});
