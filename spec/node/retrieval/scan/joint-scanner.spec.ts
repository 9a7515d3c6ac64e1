import assert from "node:assert/strict";
import { JointScanner } from "../../../../lib/node/retrieval/scan/joint-scanner.ts";
import type { Scanner } from "../../../../lib/node/retrieval/scan/scanner.ts";
import type { Mask, Wanted } from "../../../../lib/retrieval/scan/scan-codes.ts";

describe("JointScanner", () => {
  /** Scans that were asked for: how many queries, and what for. */
  const scans: { readonly queries: number; readonly wanted: Wanted; readonly mask: Mask }[] = [];
  beforeEach(() => {
    scans.length = 0;
  });

  /** Row i has the score q − i for the query [q]. */
  const scanner: Scanner = {
    threads: 0,
    search: async (queries, wanted, mask) => {
      scans.push({ queries: queries.length, wanted, mask });
      await new Promise((resolve) => setTimeout(resolve, 1));
      if (queries.some((query) => query[0]! < 0)) throw new Error("broken");
      const count = "k" in wanted ? wanted.k : 2;
      return queries.map((query) =>
        Array.from({ length: count }, (_, id) => ({ id, score: query[0]! - id })),
      );
    },
    close: () => Promise.resolve(),
  };

  it("joins the calls that wait while a scan runs, and gives each its own rows", async () => {
    const joint = new JointScanner(scanner);
    const calls = [1, 2, 3, 4].map((k) => joint.search([[10 * k], [20 * k]], { k }, null));
    for (const [i, found] of (await Promise.all(calls)).entries()) {
      const k = i + 1;
      const rows = (q: number) => Array.from({ length: k }, (_, id) => ({ id, score: q - id }));
      assert.deepEqual(found, [rows(10 * k), rows(20 * k)]);
    }
    assert.deepEqual(scans, [
      { queries: 2, wanted: { k: 1 }, mask: null },
      { queries: 6, wanted: { k: 4 }, mask: null },
    ]);
  });

  it("scans for other masks and ranges on their own", async () => {
    const joint = new JointScanner(scanner);
    const mask = Uint8Array.of(1);
    const wanted: [Wanted, Mask][] = [
      [{ k: 1 }, null],
      [{ k: 1 }, mask],
      [{ min: 0 }, null],
      [{ min: 0 }, null],
      [{ k: 2 }, mask],
      [{ k: 1 }, Uint8Array.of(1)],
    ];
    await Promise.all(wanted.map(([what, of]) => joint.search([[1]], what, of)));
    assert.deepEqual(
      scans.map(({ queries, wanted: what }) => [queries, what]),
      [
        [1, { k: 1 }],
        [2, { k: 2 }],
        [1, { min: 0 }],
        [1, { min: 0 }],
        [1, { k: 1 }],
      ],
    );
  });

  it("a scan that fails fails its callers, and later ones go on", async () => {
    const joint = new JointScanner(scanner);
    const failed = joint.search([[-1]], { k: 1 }, null);
    const later = joint.search([[1]], { k: 1 }, null);
    await assert.rejects(failed, /broken/);
    assert.deepEqual(await later, [[{ id: 0, score: 1 }]]);
  });
});
