/**
 * Queries of LanceDB's tables. With CLIPSCOPE_LANCEDB, a folder in which `npm install @lancedb/lancedb@0.31.0
 * apache-arrow@18.1.0` ran, they are compared with those of the index that a table was written from; without it, a table
 * in memory takes LanceDB's place, whose approximate search knows a part of the rows only.
 */
import assert from "node:assert/strict";
import { rmSync } from "node:fs";
import { exportRows } from "../../../lib/node/retrieval/engine.ts";
import { LanceIndex, lanceUri, openLanceIndex } from "../../../lib/node/retrieval/lance-index.ts";
import type { LanceTable, LanceVectorQuery } from "../../../lib/node/retrieval/lance-package.ts";
import { readLanceSchema } from "../../../lib/node/retrieval/lance-schema.ts";
import { createLanceTable } from "../../../lib/node/retrieval/lancedb.ts";
import { openIndex } from "../../../lib/node/retrieval/open-index.ts";
import type { QueryOptions } from "../../../lib/node/retrieval/query-options.ts";
import type { QueryTerm } from "../../../lib/node/retrieval/query-vectors.ts";
import type { Found } from "../../../lib/retrieval/result-text.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { normalised, randomNumbers, writeVectorIndex } from "../../support/vector-index.ts";

const [rows, width] = [300, 16];

function vectors(): Float32Array {
  const { normal } = randomNumbers(11);
  return normalised(
    Float32Array.from({ length: rows * width }, () => 0.5 + normal()),
    width,
  );
}

async function listed(results: AsyncIterable<Found>): Promise<Found[]> {
  const found: Found[] = [];
  for await (const result of results) found.push(result);
  return found;
}

const installation = process.env["CLIPSCOPE_LANCEDB"];

if (installation === undefined) {
  /** A table whose approximate search finds rows with even ids only. @param sent receives the conditions */
  const tableOf = (values: Float32Array, sent: string[]): LanceTable => {
    const request = (query: Float32Array | null): LanceVectorQuery => {
      let [isExact, count, most] = [false, Infinity, Infinity];
      let ids: number[] | null = null;
      const self: LanceVectorQuery = {
        column: () => self,
        distanceType: () => self,
        nprobes: () => self,
        refineFactor: () => self,
        select: () => self,
        bypassVectorIndex: () => {
          isExact = true;
          return self;
        },
        limit: (of) => {
          count = of;
          return self;
        },
        distanceRange: (_, upper) => {
          most = upper;
          return self;
        },
        where: (sql) => {
          sent.push(sql);
          const list = /^`id` IN \((.*)\)$/.exec(sql)?.[1];
          if (list !== undefined) ids = list.split(",").map(Number);
          return self;
        },
        toArray: () => {
          const all = ids ?? Array.from({ length: rows }, (_, id) => id);
          const known = query === null || isExact ? all : all.filter((id) => id % 2 === 0);
          const found = known.map((id) => {
            const vector = values.slice(id * width, (id + 1) * width);
            const distance = query === null ? 0 : 1 - vector.reduce((sum, x, i) => sum + x * query[i]!, 0);
            return { id: BigInt(id), vector: { toArray: () => vector }, image_path: `${id}.jpg`, distance };
          });
          const near = found.filter(({ distance }) => distance <= most);
          return Promise.resolve(near.sort((a, b) => a.distance - b.distance).slice(0, count));
        },
      };
      return self;
    };
    return {
      add: () => Promise.resolve(),
      countRows: () => Promise.resolve(rows),
      createIndex: () => Promise.resolve(),
      schema: () => Promise.resolve({ fields: [], metadata: new Map() }),
      query: () => request(null),
      vectorSearch: request,
      close: () => undefined,
    };
  };

  describe("LanceIndex", () => {
    const values = vectors();
    const origin = {
      ...{ image: {}, text: {}, isDeclared: true, base: null },
      columns: [{ name: "image_path", type: "text" } as const],
    };
    let sent: string[];
    let index: LanceIndex;

    beforeEach(() => {
      sent = [];
      index = new LanceIndex("somewhere", tableOf(values, sent), width, origin);
    });

    it("ranks what the engine finds by the stored vectors", async () => {
      const found = await listed(index.query([{ id: 10 }, { id: 12, weight: 0.5 }], { top: 5 }));
      assert.deepEqual(
        found.map(({ id }) => id % 2),
        [0, 0, 0, 0, 0],
      );
      const similarities = found.map(({ similarity }) => similarity);
      assert.deepEqual(
        similarities,
        similarities.toSorted((a, b) => b - a),
      );
      assert.deepEqual([found[0]!.id, found[0]!.path], [10, "10.jpg"]);
    });

    it("searches all rows where the engine finds fewer than asked for, and for ranges", async () => {
      const all = await listed(index.query([{ id: 3 }], { top: rows }));
      assert.equal(all.length, rows);
      assert.equal(all[0]!.id, 3);
      const min = (all[40]!.similarity + all[41]!.similarity) / 2;
      assert.deepEqual(await listed(index.query([{ id: 3 }], { min })), all.slice(0, 41));
    });

    it("sends conditions as SQL, and refuses what the table does not have", async () => {
      await listed(index.query([{ id: 3 }], { where: "image_path LIKE '%.jpg'", top: 2 }));
      assert.ok(sent.includes("(`image_path` LIKE '%.jpg')"));
      for (const [terms, options, message] of [
        [[{ id: 3 }], { where: "width > 1" }, /expected a column of the table \(image_path\), found width/],
        [[{ id: 3 }], { side: "text" }, /lancedb:somewhere: has vectors of images only/],
        [[{ text: "a" }], {}, /needs a model/],
        [[{ vector: [1] }], {}, /expected a vector of 16 numbers as in lancedb:somewhere/],
      ] as readonly (readonly [readonly QueryTerm[], QueryOptions, RegExp])[])
        await assert.rejects(listed(index.query(terms, options)), { name: "InputError", message });
    });

    it("names the package that is missing", async () => {
      await assert.rejects(openLanceIndex("somewhere"), {
        name: "InputError",
        message:
          'lancedb: the package @lancedb/lancedb is not installed; run "npm install @lancedb/lancedb@0.31.0 apache-arrow@18.1.0"',
      });
    });
  });

  describe("readLanceSchema", () => {
    it("takes the columns of a table that another program wrote from its types", () => {
      const type = (name: string, more = {}): object => ({ ...more, toString: () => name });
      const fields = [
        { name: "id", type: type("Int64") },
        { name: "vector", type: type("FixedSizeList[8]<Float32>", { listSize: 8 }) },
        { name: "url", type: type("Utf8") },
        { name: "width", type: type("Int32") },
        { name: "at", type: type("Timestamp") },
      ];
      const { width: found, origin } = readLanceSchema({ fields, metadata: new Map() }, "lancedb:x");
      assert.equal(found, 8);
      assert.deepEqual(origin.columns, [
        { name: "url", type: "text" },
        { name: "width", type: "integer" },
      ]);
      assert.throws(() => readLanceSchema({ fields: fields.slice(0, 1), metadata: new Map() }, "lancedb:x"), {
        name: "InputError",
        message: /^lancedb:x: expected a table with vectors of a fixed width/,
      });
    });
  });
} else {
  describe("LanceIndex, installed", () => {
    const folder = temporaryFolder();
    const before = process.cwd();

    beforeEach(() => {
      process.chdir(installation);
    });

    afterEach(() => {
      process.chdir(before);
    });

    it("answers as the index does that it was written from", async () => {
      const path = folder.file("index");
      rmSync(path, { recursive: true, force: true });
      const index = await openIndex(await writeVectorIndex(path, vectors(), width, 120));
      index.deleted.add(5);
      const uri = folder.file("table");
      const table = await createLanceTable(uri, "images", index);
      assert.equal(await exportRows(index, table, () => undefined), rows - 1);
      await table.close();
      const lance = await openLanceIndex(uri);
      try {
        assert.deepEqual([lance.width, lance.columns, lance.base], [width, index.columns, index.base]);
        const terms = [{ id: 7 }, { id: 40, weight: -0.3 }];
        for (const options of [
          {},
          { top: 50 },
          { min: 0.3 },
          { where: "bytes >= 100.5 AND image_path LIKE '1%'", top: 20 },
          { where: "NOT (bytes IN (7, 8) OR image_path IS NULL)", min: 0.2 },
          { dedup: 0.9, top: 10 },
          { diversity: 0.5, top: 10 },
        ] satisfies QueryOptions[])
          assert.deepEqual(
            await listed(lance.query(terms, options)),
            await listed(index.query(terms, options)),
          );
        await assert.rejects(listed(lance.query([{ id: 5 }])), { message: /has no row 5/ });
      } finally {
        await lance.close();
        await index.close();
      }
      await assert.rejects(openLanceIndex(uri, "others"), {
        message: /expected a table others, found images; write it with/,
      });
      await assert.rejects(openLanceIndex(folder.file("none")), { message: /no such folder/ });
    });
  });
}

describe("lanceUri", () => {
  it("is what follows lancedb:", () => {
    assert.deepEqual(["lancedb:s3://b/x", "folder", "lancedb:"].map(lanceUri), ["s3://b/x", null, null]);
  });
});
