/** The metrics of open_clip_train's validation (tools/golden/training_metrics.py). */
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { rankMetrics } from "../../../lib/node/train/validate.ts";
import { fixture } from "../../support/paths.ts";

interface Golden {
  readonly width: number;
  readonly images: readonly number[];
  readonly texts: readonly number[];
  readonly metrics: Readonly<Record<string, number>>;
}

describe("rankMetrics", () => {
  it("has open_clip's names, in its order, and its figures", async () => {
    const golden = JSON.parse(readFileSync(fixture("training/metrics.json"), "utf8")) as Golden;
    const rows = (values: readonly number[]): Parameters<typeof rankMetrics>[0] => ({
      values: Float32Array.from(values),
      rows: values.length / golden.width,
      width: golden.width,
    });
    const metrics = await rankMetrics(rows(golden.images), rows(golden.texts));
    assert.deepEqual(Object.keys(metrics), Object.keys(golden.metrics));
    for (const [name, value] of Object.entries(golden.metrics)) {
      assert.ok(Math.abs(metrics[name]! - value) < 1e-9, `${name}: ${metrics[name]}, expected ${value}`);
    }
  });
});
