import assert from "node:assert/strict";
import { selection } from "../../../lib/eval/metrics/selection.ts";
import { evaluationCases } from "../../support/evaluation-golden.ts";

describe("selection", () => {
  it("equals CLIP_benchmark to the last bit, with equal similarities too: its argmax takes the first", async () => {
    const cases = await evaluationCases("selection");
    assert.deepEqual(
      cases.map(({ name }) => name),
      ["winoground", "sugar-crepe", "three-images", "selection-ties"],
    );
    for (const { name, case: golden, images, texts, metrics } of cases) {
      const [instances = 0, nim = 0, nt = 0] = golden.at("shape").integers(1);
      const range = (start: number, count: number): number[] =>
        Array.from({ length: count }, (_, i) => start + i);
      const parts = range(0, instances).map((i) => ({
        images: range(i * nim, nim),
        captions: range(i * nt, nt),
      }));
      const found = selection(images, texts, parts);
      assert.deepEqual(Object.entries(found.metrics), Object.entries(metrics), name);
      assert.equal(found.ties > 0, name === "selection-ties", name);
    }
  });

  it("gives the outcome of each instance", () => {
    const axes = { values: Float32Array.from([1, 0, 0, 1]), rows: 2, width: 2 };
    const found = selection(axes, axes, [
      { images: [0], captions: [0, 1] },
      { images: [0, 1], captions: [1, 0] },
      { images: [0], captions: [0, 0] },
    ]);
    assert.deepEqual(found.outcomes, [
      { imagesRight: true, captionsRight: true, isTied: false },
      { imagesRight: false, captionsRight: false, isTied: false },
      { imagesRight: true, captionsRight: true, isTied: true },
    ]);
    assert.equal(found.metrics.acc, Math.fround(2 / 3));
  });

  it("takes similarities for equal that differ by less than float32 resolves", () => {
    // 0.6 − 8e-10 and 0.6 + 8e-10
    const image = { values: Float32Array.from([1, 1e-9]), rows: 1, width: 2 };
    const captions = { values: Float32Array.from([0.6, -0.8, 0.6, 0.8]), rows: 2, width: 2 };
    const { outcomes } = selection(image, captions, [{ images: [0], captions: [0, 1] }]);
    assert.deepEqual(outcomes, [{ imagesRight: true, captionsRight: true, isTied: true }]);
  });

  it("rejects empty instances and unknown rows", () => {
    const rows = { values: Float32Array.from([1, 0]), rows: 1, width: 2 };
    assert.throws(() => selection(rows, rows, []), /at least one instance/);
    assert.throws(() => selection(rows, rows, [{ images: [], captions: [0] }]), /instance 0 has no images/);
    assert.throws(() => selection(rows, rows, [{ images: [0], captions: [1] }]), /row 1, expected 0 to 0/);
    const damaged = { values: Float32Array.from([1, NaN]), rows: 1, width: 2 };
    assert.throws(() => selection(damaged, rows, [{ images: [0], captions: [0] }]), /not finite/);
  });
});
