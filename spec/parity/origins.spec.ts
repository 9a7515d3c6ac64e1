/** Models of other projects, as they publish them, against the activations of their own classes (tools/golden/origins.py). */
import { strict as assert } from "node:assert";
import { memory } from "@tensorflow/tfjs-core";
import { loadModel } from "../../lib/node/models/load-model.ts";
import { verify } from "../../lib/parity/verify.ts";
import { openGolden, tolerance } from "../support/golden.ts";
import { fixture } from "../support/paths.ts";

/** With the number of taps of each golden. */
const origins = {
  "chinese-clip": 64,
  "cn-clip": 64,
  "cn-clip-flash": 64,
  "clip-italian": 67,
  "clip-model": 51,
  "rinna-clip": 63,
  "rinna-cloob": 63,
};

describe("parity with the origin", () => {
  for (const [name, count] of Object.entries(origins)) {
    it(`agrees at every tap: ${name}`, async () => {
      const golden = await openGolden(fixture(`origins/${name}/golden.safetensors`));
      const model = await loadModel(fixture(`origins/${name}`));
      const { taps } = await verify(model, golden, { tolerance });
      assert.deepEqual(
        taps.filter(({ passed }) => !passed),
        [],
      );
      assert.equal(taps.length, count);
      const before = memory().numTensors;
      const streamed = await loadModel(fixture(`origins/${name}`), { residency: "streamed" });
      assert.deepEqual((await verify(streamed, golden, { tolerance })).taps, taps);
      await streamed.dispose();
      assert.equal(memory().numTensors, before);
      await model.dispose();
      await golden.close();
    });
  }

  it("reports that clip-italian's stored logit scale is not used", async () => {
    const notes: string[] = [];
    const model = await loadModel(fixture("origins/clip-italian"), { onNote: (note) => notes.push(note) });
    await model.dispose();
    assert.deepEqual(notes, [
      "the stored logit scale is the untrained 1: logits are 20 · cosine, as in clip-italian's training",
    ]);
  });
});
