/**
 * Chinese-CLIP at the size of ViT-H/14, on synthetic weights, against open_clip's float32 run: every tap, sampled.
 *
 * The golden is written by `python tools/golden/golden.py --model fixtures/full/chinese-clip-vit-huge-patch14 --synthetic
 * --samples 64 --images 1 --texts 2 --length 52 --out …/golden.safetensors`.
 */
import { strict as assert } from "node:assert";
import { Clip } from "../../lib/clip/clip.ts";
import { declaredTensors } from "../../lib/clip/network.ts";
import { readModelDirectory } from "../../lib/node/models/model-directory.ts";
import { verify } from "../../lib/parity/verify.ts";
import { elementCount } from "../../lib/tensor/dtype.ts";
import { SyntheticStore } from "../../lib/tensor/synthetic.ts";
import { openGolden } from "../support/golden.ts";
import { fixture } from "../support/paths.ts";

describe("Chinese-CLIP ViT-H/14 on synthetic weights", function () {
  this.timeout(20 * 60_000);

  it("agrees with open_clip at every tap, within 3 GB of memory", async () => {
    const directory = fixture("full/chinese-clip-vit-huge-patch14");
    const { config, preprocess } = await readModelDirectory(directory);
    const declared = declaredTensors(config);
    const parameters = [...declared.values()].reduce((sum, shape) => sum + elementCount(shape), 0);
    assert.equal(parameters, 957_598_209);
    const golden = await openGolden(`${directory}/golden.safetensors`);
    const model = new Clip({
      config,
      preprocess,
      store: new SyntheticStore(declared),
      loadTokenizer: () => Promise.reject(new Error("not used")),
      residency: "streamed",
    });
    let peak = 0;
    const { taps, worst } = await verify(model, golden, {
      tolerance: 1e-5,
      onTap: () => {
        peak = Math.max(peak, process.memoryUsage().rss);
      },
    });
    await model.dispose();
    await golden.close();
    assert.deepEqual(
      taps.filter(({ passed }) => !passed),
      [],
    );
    console.log(
      `      ${taps.length} taps, peak ${(peak / 1e9).toFixed(2)} GB, ` +
        `worst relative L2 ${worst.relativeL2!.toExponential(2)} at ${worst.name}`,
    );
    assert.ok(peak < 3e9, `peak memory ${peak}`);
  });
});
