import assert from "node:assert/strict";
import { ones, type Tensor } from "@tensorflow/tfjs-core";
import { dropoutMask, withDropout } from "../../lib/train/dropout.ts";
import { tap } from "../../lib/tensor/taps.ts";

// The case "dropout" of spec/parity/training.spec.ts compares training with these masks with PyTorch's.
describe("dropout", () => {
  it("sets the given share to 0 and divides the others by the rest, so that the mean stays", () => {
    const mask = dropoutMask("a", 0, 0, 100_000, 0.1);
    const dropped = mask.filter((value) => value === 0).length / mask.length;
    assert.ok(Math.abs(dropped - 0.1) < 0.005, `${dropped}`);
    assert.ok(mask.every((value) => value === 0 || value === Math.fround(1 / Math.fround(0.9))));
  });

  it("gives other masks for another tap, seed or pass, and the same for the same", () => {
    const masks = [
      ["a", 0, 0],
      ["b", 0, 0],
      ["a", 1, 0],
      ["a", 0, 1],
    ] as const;
    const seen = masks.map(([name, seed, pass]) => dropoutMask(name, seed, pass, 64, 0.5).join());
    assert.equal(new Set(seen).size, masks.length);
    assert.equal(dropoutMask("a", 0, 0, 64, 0.5).join(), seen[0]);
  });

  it("changes the taps that have a share, and no others", () => {
    const shares = new Map([["layer", 0.5]]);
    const values = withDropout(shares, { seed: 0, pass: 0 }, () =>
      ["layer", "other"].map((name) => tap<Tensor>(name, ones([64]))),
    );
    assert.deepEqual([...values[0]!.dataSync()], [...dropoutMask("layer", 0, 0, 64, 0.5)]);
    assert.deepEqual([...values[1]!.dataSync()], [...new Float32Array(64).fill(1)]);
    for (const value of values) value.dispose();
  });
});
