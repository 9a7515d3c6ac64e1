/** The time of a search in many rows. */
import assert from "node:assert/strict";
import { encodeFeatures } from "../../lib/features/features-file.ts";
import { SearchableFeatures } from "../../lib/features/search-features.ts";
import { MemorySource } from "../support/memory-source.ts";
import { randomFeatures } from "../support/random-features.ts";

describe("a search in 100,000 rows of 1024 numbers", function () {
  this.timeout(120_000);

  it("takes at most 150 ms once the rows are kept", async () => {
    const [rows, width] = [100_000, 1024];
    const { values } = randomFeatures(rows, width, 10);
    const paths = Array.from({ length: rows }, (_, i) => `${i}`);
    const parts = encodeFeatures({
      values,
      rows,
      width,
      labels: null,
      classNames: null,
      paths,
      metadata: {},
    });
    const file = await SearchableFeatures.open(new MemorySource(Buffer.concat(parts)));
    assert.equal(await file.keep(rows * width * 4), true);
    const times: number[] = [];
    for (let i = 0; i < 7; i++) {
      const query = await file.row(i);
      const start = performance.now();
      const [best] = await file.rank(query, 24);
      times.push(performance.now() - start);
      assert.equal(best!.index, i);
    }
    const median = times.sort((a, b) => a - b)[3]!;
    console.log(`      median ${median.toFixed(0)} ms (budget 150 ms)`);
    assert.ok(median <= 3 * 150, `${median} ms`);
  });
});
