/** Against torch's interpolate and grid_sample (tools/golden/guide.py), and its own transpose. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { Sampler } from "../../lib/guide/cutout.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { guideCanvas, guideCutouts, readGuideGolden } from "../support/guide-golden.ts";

const input = { height: 28, width: 28 };
const mean = [0.48145466, 0.4578275, 0.40821073];
const std = [0.26862954, 0.26130258, 0.27577711];

describe("Sampler", () => {
  it("resamples the whole canvas and a part of it as PyTorch does", async () => {
    const golden = await readGuideGolden();
    for (const [i, cutout] of guideCutouts.entries()) {
      const found = new Float32Array(3 * 28 * 28);
      new Sampler(cutout, guideCanvas, input).sample(golden.image, found);
      const expected = golden.pixels
        .slice(i * found.length, (i + 1) * found.length)
        .map((value, at) => value * std[Math.floor(at / 784)]! + mean[Math.floor(at / 784)]!);
      const { maxAbs } = compare(found, expected);
      assert.ok(maxAbs < 1e-6, `cutout ${i}: ${maxAbs}`);
    }
  });

  it("rotates about the centre, clockwise", () => {
    // A ramp to the right: turned by 30°, it rises by cos 30° per pixel to the right, and falls by sin 30° per pixel down.
    const canvas = { height: 60, width: 60 };
    const image = Float32Array.from({ length: 3 * 3600 }, (_, i) => i % 60);
    const found = new Float32Array(3 * 100);
    const angle = Math.PI / 6;
    new Sampler({ centreX: 30, centreY: 30, side: 10, angle }, canvas, { height: 10, width: 10 }).sample(
      image,
      found,
    );
    for (let v = 0; v < 10; v++) {
      for (let u = 0; u < 10; u++) {
        const expected = 29.5 + Math.cos(angle) * (u - 4.5) - Math.sin(angle) * (v - 4.5);
        assert.ok(
          Math.abs(found[10 * v + u]! - expected) < 0.1,
          `${u}, ${v}: ${found[10 * v + u]!}, ${expected}`,
        );
      }
    }
  });

  it("keeps a constant image constant, also beyond the canvas, and spread is its transpose", () => {
    const [canvas, small] = [
      { height: 13, width: 17 },
      { height: 6, width: 8 },
    ];
    const cutout = fc.record({
      centreX: fc.double({ min: -4, max: 20, noNaN: true }),
      centreY: fc.double({ min: -4, max: 16, noNaN: true }),
      side: fc.double({ min: 2, max: 30, noNaN: true }),
      angle: fc.double({ min: -0.6, max: 0.6, noNaN: true }),
    });
    fc.assert(
      fc.property(cutout, fc.integer({ min: 0, max: 1e6 }), (given, seed) => {
        const sampler = new Sampler(given, canvas, small);
        const constant = new Float32Array(3 * 221).fill(0.7);
        const out = new Float32Array(3 * 48);
        sampler.sample(constant, out);
        for (const value of out) assert.ok(Math.abs(value - 0.7) < 1e-6, `${value}`);

        const x = Float32Array.from(constant, (_, i) => Math.sin(seed + i));
        const y = Float32Array.from(out, (_, i) => Math.cos(seed + 3 * i));
        sampler.sample(x, out);
        const back = new Float64Array(x.length);
        sampler.spread(y, back);
        const forward = out.reduce((sum, value, i) => sum + value * y[i]!, 0);
        const backward = back.reduce((sum, value, i) => sum + value * x[i]!, 0);
        assert.ok(Math.abs(forward - backward) < 1e-4, `${forward}, ${backward}`);
      }),
      { numRuns: 200 },
    );
  });
});
