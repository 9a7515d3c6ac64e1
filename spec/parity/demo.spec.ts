/** The whole pipeline, from image files and texts to logits, against OpenCLIP's with Pillow and its tokenizer. */
import { strict as assert } from "node:assert";
import { readFileSync } from "node:fs";
import { memory } from "@tensorflow/tfjs-core";
import { embedImages, loadModel } from "../../lib/index.ts";
import { fixture } from "../support/paths.ts";

interface DemoGolden {
  readonly images: readonly string[];
  readonly texts: readonly string[];
  readonly logits: readonly (readonly number[])[];
}

describe("the demo model on its sample images", () => {
  it("gives OpenCLIP's logits to 1e-4", async () => {
    const golden = JSON.parse(readFileSync(fixture("demo-golden.json"), "utf8")) as DemoGolden;
    const model = await loadModel();
    const before = memory().numTensors;
    const texts = await model.encodeText(golden.texts, { normalize: true });
    const paths = golden.images.map((name) => fixture(`demo-model/samples/${name}`));
    let row = 0;
    for await (const { features } of embedImages(model, paths, { normalize: true, batchSize: 3 })) {
      const logits = await model.logits(features, texts);
      for (const ours of await logits.array()) {
        for (const [t, expected] of golden.logits[row]!.entries()) {
          const difference = Math.abs(ours[t]! - expected);
          assert.ok(
            difference <= 1e-4,
            `${golden.images[row]!}, "${golden.texts[t]!}": ${ours[t]}, OpenCLIP ${expected}`,
          );
        }
        row++;
      }
      logits.dispose();
      features.dispose();
    }
    assert.equal(row, golden.images.length);
    texts.dispose();
    model.weights.dispose();
    assert.ok(memory().numTensors <= before);
    await model.dispose();
  });
});
