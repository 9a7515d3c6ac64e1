/** The first blocks of both towers at the published size, on synthetic weights, against OpenCLIP's float64 run. */
import { strict as assert } from "node:assert";
import { memory } from "@tensorflow/tfjs-core";
import { Clip } from "../../lib/clip/clip.ts";
import type { ClipConfig } from "../../lib/clip/config/clip-config.ts";
import { declaredTensors } from "../../lib/clip/network.ts";
import { syntheticClip } from "../../lib/clip/synthetic-clip.ts";
import { verify } from "../../lib/parity/verify.ts";
import { SyntheticStore } from "../../lib/tensor/synthetic.ts";
import { openGolden } from "../support/golden.ts";
import { fixture } from "../support/paths.ts";

/** What comes before the end of the towers, and so does not depend on how many blocks there are. */
const beginning = /^visual\.(conv1|ln_pre)|resblocks\.0(\.|$)|embeddings|layer\.0(\.|$)/;

describe("the published size on webgpu", function () {
  this.timeout(20 * 60_000);

  it("agrees with float64 at every tap of the first blocks to 2e-5", async () => {
    const golden = await openGolden(fixture("full/golden.safetensors"));
    const whole = await syntheticClip(golden.syntheticArch!);
    const { config, preprocess } = whole;
    assert.ok(config.text.kind === "xlm-roberta");
    const short: ClipConfig = {
      ...config,
      vision: { ...config.vision, layers: 1 },
      text: { ...config.text, network: { ...config.text.network, layers: 1 } },
    };
    const before = memory().numTensors;
    const model = new Clip({
      config: short,
      preprocess,
      store: new SyntheticStore(declaredTensors(short)),
      loadTokenizer: () => Promise.reject(new Error("not used")),
      residency: "streamed",
    });
    const { taps } = await verify(model, golden, { tolerance: 2e-5 });
    const compared = taps.filter(({ name }) => beginning.test(name));
    assert.deepEqual(
      compared.filter(({ passed, missing }) => !passed && missing === undefined),
      [],
    );
    const count = compared.filter(({ missing }) => missing === undefined).length;
    assert.equal(count, [...golden.taps.keys()].filter((name) => beginning.test(name)).length);
    const worst = Math.max(...compared.map(({ relativeL2 }) => relativeL2 ?? 0));
    console.log(`      ${count} taps, worst relative L2 ${worst.toExponential(2)}`);
    await model.dispose();
    assert.equal(memory().numTensors, before);
    await whole.dispose();
    await golden.close();
  });
});
