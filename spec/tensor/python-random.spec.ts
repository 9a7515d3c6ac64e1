import assert from "node:assert/strict";
import { PythonRandom } from "../../lib/tensor/python-random.ts";

describe("PythonRandom", () => {
  // python3 -c "import random; random.seed(SEED); print([random.random() for _ in range(3)])"
  const known: readonly (readonly [seed: bigint, numbers: readonly number[]])[] = [
    [0n, [0.8444218515250481, 0.7579544029403025, 0.420571580830845]],
    [3n, [0.23796462709189137, 0.5442292252959519, 0.36995516654807925]],
    [1099511627781n, [0.5043802970418443, 0.2686044399723282, 0.9257865475671585]],
    [9223372036854775807n, [0.3166448820870279, 0.631259308253863, 0.8035542479972343]],
  ];
  for (const [seed, numbers] of known) {
    it(`has Python's numbers for the seed ${seed}, and continues from its state`, () => {
      const random = PythonRandom.seeded(seed);
      assert.deepEqual([random.unit(), random.unit()], numbers.slice(0, 2));
      assert.equal(PythonRandom.restore(random.state)!.unit(), numbers[2]);
    });
  }
});
