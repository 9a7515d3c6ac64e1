/**
 * The network at its published size, on synthetic weights, against OpenCLIP's float64 run: every tap, sampled.
 *
 * Weights are streamed, because WASM's heap cannot hold the image tower.
 */
import { strict as assert } from "node:assert";
import { getBackend, memory } from "@tensorflow/tfjs-core";
import { syntheticClip } from "../../lib/clip/synthetic-clip.ts";
import { verify } from "../../lib/parity/verify.ts";
import { openGolden } from "../support/golden.ts";
import { fixture } from "../support/paths.ts";

/** Relative L2 of the sampled values. PyTorch's own float32 is up to 2e-6 from float64 here. */
const tolerances = { tensorflow: 1e-5, wasm: 1e-5, cpu: 2e-5 };

describe("full size", function () {
  this.timeout(20 * 60_000);

  it("agrees with OpenCLIP in float64 at every tap of the 32 + 24 layers, within 3 GB of memory", async () => {
    const golden = await openGolden(fixture("full/golden.safetensors"));
    const model = await syntheticClip(golden.syntheticArch!);
    const tensors = memory().numTensors;
    const start = process.hrtime.bigint();
    let peak = 0;
    const { taps, worst, worstRatio } = await verify(model, golden, {
      tolerance: tolerances[getBackend() as keyof typeof tolerances],
      onTap: () => {
        peak = Math.max(peak, process.memoryUsage().rss);
      },
    });
    await model.dispose();
    await golden.close();
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;

    assert.equal(memory().numTensors, tensors, "a tensor is left");
    assert.deepEqual(
      taps.filter(({ passed }) => !passed),
      [],
    );
    assert.equal(taps.length, golden.taps.size);
    console.log(
      `      ${taps.length} taps in ${seconds.toFixed(0)} s, peak ${(peak / 1e9).toFixed(2)} GB, ` +
        `worst relative L2 ${worst.relativeL2!.toExponential(2)} at ${worst.name}, ` +
        `at most ${worstRatio!.ratio!.toFixed(2)} times PyTorch's own error`,
    );
    assert.ok(peak < 3e9, `peak memory ${peak}`);
  });
});
