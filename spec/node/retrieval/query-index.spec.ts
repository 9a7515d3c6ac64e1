/** Queries against every row's similarity in float64. */
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import fc from "fast-check";
import { openIndex, type OpenedIndex } from "../../../lib/node/retrieval/open-index.ts";
import { encodeNpyHeader } from "../../../lib/tensor/npy-header.ts";
import { fixture } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

/** Unit vectors around a common direction, as CLIP's embeddings are. @returns [rows, width] */
function unitVectors(seed: number, rows: number, width: number): Float32Array {
  let state = seed >>> 0 || 1;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  const common = Array.from({ length: width }, normal);
  const values = new Float32Array(rows * width);
  for (let row = 0; row < rows; row++) {
    const vector = common.map((value) => value + normal());
    const norm = Math.hypot(...vector);
    for (let i = 0; i < width; i++) values[row * width + i] = vector[i]! / norm;
  }
  return values;
}

/** Writes a folder in clip-retrieval's layout: partitions of float32 vectors without metadata. */
function writeFolder(path: string, values: Float32Array, width: number, rowsPerPartition: number): void {
  mkdirSync(`${path}/img_emb`, { recursive: true });
  const rows = values.length / width;
  for (let start = 0, number = 0; start < rows; start += rowsPerPartition, number++) {
    const part = values.subarray(start * width, Math.min(rows, start + rowsPerPartition) * width);
    const bytes = new Uint8Array(part.buffer, part.byteOffset, part.byteLength);
    const header = encodeNpyHeader("<f4", [part.length / width, width]);
    const name = `img_emb_${`${number}`.padStart(3, "0")}.npy`;
    writeFileSync(`${path}/img_emb/${name}`, Buffer.concat([header, bytes]));
  }
}

/** The similarities of all rows in float64. */
function similarities(values: Float32Array, query: ArrayLike<number>): Float64Array {
  const width = query.length;
  return Float64Array.from({ length: values.length / width }, (_, row) => {
    let sum = 0;
    for (let i = 0; i < width; i++) sum += values[row * width + i]! * query[i]!;
    return sum;
  });
}

function bestOf(scores: Float64Array, k: number): number[] {
  return [...scores.keys()].sort((a, b) => scores[b]! - scores[a]! || a - b).slice(0, k);
}

async function idsOf(results: AsyncIterable<{ readonly id: number }>): Promise<number[]> {
  const ids: number[] = [];
  for await (const { id } of results) ids.push(id);
  return ids;
}

describe("index.query", () => {
  const folder = temporaryFolder();
  let path: string;

  beforeEach(() => {
    path = folder.file("collection");
  });

  async function withIndex(threads: number, use: (index: OpenedIndex) => Promise<void>): Promise<void> {
    const index = await openIndex(path, { threads });
    try {
      await use(index);
    } finally {
      await index.close();
    }
  }

  it("finds at least 99.9 % of the ten best rows of width 1,024, for rows and for other vectors", async () => {
    const [rows, width, count] = [4000, 1024, 50];
    const values = unitVectors(1, rows, width);
    writeFolder(path, values, width, 1500);
    await withIndex(2, async (index) => {
      const others = unitVectors(2, count, width);
      for (const queries of [others, values.subarray(0, count * width)]) {
        let found = 0;
        for (let query = 0; query < count; query++) {
          const vector = queries.slice(query * width, (query + 1) * width);
          const ids = new Set(await idsOf(index.query([{ vector }])));
          found += bestOf(similarities(values, vector), 10).filter((id) => ids.has(id)).length;
        }
        assert.ok(found / (10 * count) >= 0.999, `recall@10 is ${found / (10 * count)}`);
      }
    });
  });

  it("finds exactly the rows from a similarity on, in the order of the similarities, on any number of threads", async () => {
    const width = 48;
    await fc.assert(
      fc.asyncProperty(
        fc.integer({ min: 1, max: 2 ** 31 }),
        fc.integer({ min: 1, max: 700 }),
        fc.integer({ min: 0, max: 2 }),
        async (seed, rows, threads) => {
          path = folder.file(`range-${seed}-${rows}`);
          const values = unitVectors(seed, rows, width);
          writeFolder(path, values, width, 300);
          const vector = unitVectors(seed + 1, 1, width);
          const scores = similarities(values, vector);
          // Between two rows, so that rounding does not decide.
          const order = bestOf(scores, rows);
          const at = Math.floor(rows / 3);
          const next = order[at + 1];
          const min = next === undefined ? -1 : (scores[order[at]!]! + scores[next]!) / 2;
          await withIndex(threads, async (index) => {
            const expected = next === undefined ? order : order.slice(0, at + 1);
            const ids = await idsOf(index.query([{ vector }], { min }));
            assert.deepEqual(new Set(ids), new Set(expected));
            for (const [i, id] of ids.slice(1).entries())
              assert.ok(scores[ids[i]!]! >= scores[id]! - 1e-6, `${ids[i]} before ${id}`);
          });
        },
      ),
      { numRuns: 12 },
    );
  });

  it("adds terms with their weights, and subtracts those below 0", async () => {
    const width = 32;
    const values = unitVectors(3, 50, width);
    writeFolder(path, values, width, 50);
    await withIndex(0, async (index) => {
      const sum = Float64Array.from({ length: width }, (_, i) => values[i]! - 0.5 * values[5 * width + i]!);
      const ids = await idsOf(index.query([{ id: 0 }, { id: 5, weight: -0.5 }], { top: 50 }));
      assert.deepEqual(ids, bestOf(similarities(values, sum), 50));
      const cancelling = index.query([{ id: 3 }, { id: 3, weight: -1 }]);
      await assert.rejects(idsOf(cancelling), { name: "InputError", message: /cancel each other out/ });
    });
  });

  it("leaves out near-duplicates, and still gives as many results", async () => {
    const width = 32;
    const values = unitVectors(4, 60, width);
    // Rows 10 to 39 are copies of row 0.
    for (let row = 10; row < 40; row++) values.copyWithin(row * width, 0, width);
    writeFolder(path, values, width, 60);
    await withIndex(0, async (index) => {
      const ids = await idsOf(index.query([{ id: 0 }], { top: 20, dedup: 0.999 }));
      assert.equal(ids.length, 20);
      assert.equal(ids[0], 0);
      assert.ok(ids.every((id) => id < 10 || id >= 40));
      // With full diversity the second result is the row least similar to the first.
      const similarity = similarities(values, values.slice(0, width));
      const least = similarity.indexOf(Math.min(...similarity));
      const [, second] = await idsOf(index.query([{ id: 0 }], { top: 60, diversity: 1 }));
      assert.equal(second, least);
    });
  });

  it("refuses vectors of another width, and stored numbers that are not finite", async () => {
    const values = unitVectors(5, 3, 8);
    values[9] = NaN;
    writeFolder(path, values, 8, 3);
    await withIndex(0, async (index) => {
      await assert.rejects(idsOf(index.query([{ vector: [1, 2] }])), {
        name: "InputError",
        message: /expected a vector of 8 numbers.*found 2$/,
      });
      await assert.rejects(idsOf(index.query([{ vector: values.slice(0, 8) }])), {
        name: "InputError",
        message:
          /img_emb_000\.npy: expected finite numbers, found others in row 1; embed these images again$/,
      });
    });
  });
});

describe("index.query with a condition", () => {
  it("gives k results whenever k rows match, in a folder of clip-retrieval", async () => {
    const index = await openIndex(fixture("retrieval/clip-retrieval"));
    try {
      const metadata = await index.readMetadata([...Array(index.rows).keys()]);
      const matching = [...metadata.keys()].filter((id) => metadata[id]!["caption"] === "写真 2");
      assert.ok(matching.length >= 5);
      const ids = await idsOf(index.query([{ id: 0 }], { where: "caption = '写真 2'", top: 5 }));
      assert.equal(ids.length, 5);
      assert.ok(ids.every((id) => matching.includes(id)));
      const all = await idsOf(index.query([{ id: 0 }], { where: "caption = '写真 2'", top: 100 }));
      assert.deepEqual(new Set(all), new Set(matching));
      await assert.rejects(idsOf(index.query([{ id: 0 }], { where: "NSFW = 'x'" })), {
        name: "InputError",
        message: /expected a column of .* found NSFW/,
      });
    } finally {
      await index.close();
    }
  });
});
