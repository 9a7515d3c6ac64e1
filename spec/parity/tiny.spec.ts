/** Every tap of the tiny models against OpenCLIP's activations. */
import { strict as assert } from "node:assert";
import { memory } from "@tensorflow/tfjs-core";
import type { Clip } from "../../lib/clip/clip.ts";
import type { Golden } from "../../lib/parity/golden.ts";
import { verify, type ParityReport } from "../../lib/parity/verify.ts";
import { identityTaps, loadTiny, openGolden, tinyGolden, tinyModels, tolerance } from "../support/golden.ts";

for (const name of tinyModels) {
  describe(`parity: ${name}`, () => {
    let golden: Golden;
    let model: Clip;

    before(async () => {
      golden = await openGolden(tinyGolden(name));
      model = await loadTiny(name);
    });

    after(async () => {
      await model.dispose();
      await golden.close();
    });

    it("agrees at every tap, end to end", async () => {
      assertAgrees(await verify(model, golden, { tolerance }), model, golden);
    });

    it("agrees at every tap when each module runs on the golden's input", async () => {
      assertAgrees(await verify(model, golden, { tolerance, isolated: true }), model, golden);
    });

    it("gives the same figures with streamed weights, and leaves no tensor behind", async () => {
      const { taps } = await verify(model, golden);
      const before = memory().numTensors;
      const streamed = await loadTiny(name, "streamed");
      assert.deepEqual((await verify(streamed, golden)).taps, taps);
      await verify(streamed, golden, { isolated: true });
      await streamed.dispose();
      assert.equal(memory().numTensors, before);
    });
  });
}

/** All taps pass, and they are the golden's taps except identities. */
function assertAgrees({ taps }: ParityReport, { visual, text }: Clip, golden: Golden): void {
  assert.deepEqual(
    taps.filter(({ passed }) => !passed),
    [],
  );
  const identities = [...visual.identities, ...text.identities];
  const expected = [...golden.taps.keys()].filter(
    (tap) => !identityTaps.test(tap) && !identities.includes(tap),
  );
  assert.deepEqual(taps.map((tap) => tap.name).sort(), expected.sort());
}
