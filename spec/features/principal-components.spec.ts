import assert from "node:assert/strict";
import { principalComponents } from "../../lib/features/principal-components.ts";
import { randomFeatures } from "../support/random-features.ts";

/** scikit-learn 1.9.1, PCA(2, svd_solver="full") on `rows`. */
const sklearn = {
  components: [
    [-0.01674787, -0.08532237, -0.28524702, -0.09366482, 0.44203429, -0.54258102, 0.6422711],
    [-0.20848395, -0.37560005, -0.12653494, 0.81972436, -0.2828842, -0.217029, 0.01936187],
  ],
  explained: [0.8242462636326229, 0.1660037684179016],
  projections: [-6.9773854, -2.8338284, -0.158027, -4.1307515, 6.9286228, -3.2151512],
};

const [rows, width] = [30, 7];
const values = Float32Array.from({ length: rows * width }, (_, at) => {
  const [i, j] = [Math.floor(at / width), at % width];
  return Math.sin(1 + i * 0.7 + j * j * 0.3) * (1 + j) + (j === 2 ? 0.1 * i : 0);
});

function near(found: ArrayLike<number>, expected: readonly number[], within: number): void {
  for (const [i, value] of expected.entries()) {
    assert.ok(Math.abs(found[i]! - value) <= within, `${i}: ${found[i]}, expected ${value}`);
  }
}

describe("principalComponents", () => {
  it("gives scikit-learn's directions, variances and projections", async () => {
    const { directions, explained, projections } = await principalComponents({ values, rows, width }, 2);
    for (const [c, direction] of directions.entries()) near(direction, sklearn.components[c]!, 1e-6);
    near(explained, sklearn.explained, 1e-8);
    near(projections, sklearn.projections, 1e-5);
    assert.equal(projections.length, rows * 2);
  });

  it("gives orthonormal directions, by falling variance, for more columns than rows", async () => {
    const features = randomFeatures(20, 50, 4);
    const { directions, explained } = await principalComponents(features, 3);
    const products = directions.map((a) =>
      directions.map((b) => a.reduce((sum, x, i) => sum + x * b[i]!, 0)),
    );
    near(products.flat(), [1, 0, 0, 0, 1, 0, 0, 0, 1], 1e-9);
    assert.deepEqual(
      explained.toSorted((a, b) => b - a),
      explained,
    );
  });

  it("handles equal rows, which have no direction, and refuses a single row", async () => {
    const { projections, explained } = await principalComponents(
      { values: new Float32Array(12).fill(3), rows: 4, width: 3 },
      2,
    );
    assert.deepEqual([...projections].map(Math.abs), new Array<number>(8).fill(0));
    assert.deepEqual(explained, [0, 0]);
    await assert.rejects(
      principalComponents({ values: new Float32Array(3), rows: 1, width: 3 }, 2),
      /two rows/,
    );
  });
});
