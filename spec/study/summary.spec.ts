import { strict as assert } from "node:assert";
import { memory, tensor3d } from "@tensorflow/tfjs-core";
import { summarize } from "../../lib/study/summary.ts";
import { summarizeTap } from "../../lib/trace/tap-summary.ts";
import { withoutBlockingReads } from "../support/no-blocking-reads.ts";

describe("summarize", () => {
  it("summarises a tensor as its values, without a blocking read, and borrows it", async () => {
    const values = Float32Array.from({ length: 2 * 3 * 50 }, (_, i) => Math.sin(i * i));
    const value = tensor3d(values, [1, 6, 50]);
    const before = memory().numTensors;
    assert.deepEqual(
      await withoutBlockingReads(() => summarize("visual", value)),
      summarizeTap("visual", [1, 6, 50], values),
    );
    assert.equal(memory().numTensors, before);
    value.dispose();
  });
});
