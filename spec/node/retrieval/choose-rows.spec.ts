import assert from "node:assert/strict";
import { setTimeout } from "node:timers/promises";
import { chooseRows } from "../../../lib/node/retrieval/choose-rows.ts";

describe("chooseRows", () => {
  /** Rows on a circle, a degree apart. */
  const index = {
    width: 2,
    readRows: (ids: ArrayLike<number>): Promise<Float32Array> =>
      Promise.resolve(
        Float32Array.from(
          Array.from(ids).flatMap((id) => [Math.cos((id * Math.PI) / 180), Math.sin((id * Math.PI) / 180)]),
        ),
      ),
  };
  const rows = (count: number) => Array.from({ length: count }, (_, id) => ({ id, score: -id }));

  it("leaves out near-duplicates of better rows", async () => {
    const chosen = await chooseRows(index, rows(360), {
      side: "image",
      top: 4,
      dedup: Math.cos(Math.PI / 2) + 1e-9,
    });
    assert.deepEqual(
      chosen.map(({ id }) => id),
      [0, 90, 180, 270],
    );
  });

  it("refuses to compare more rows than it can in seconds", async () => {
    const options = { side: "image", top: Infinity } as const;
    await assert.rejects(chooseRows(index, rows(10_001), { ...options, dedup: 2 }), /at most 10000 rows/);
    await assert.rejects(chooseRows(index, rows(5001), { ...options, diversity: 0.5 }), /at most 5000 rows/);
  });

  it("lets other work have its turn, and ends with its signal", async () => {
    const stop = new AbortController();
    const options = { side: "image", top: 5000, dedup: 2 } as const;
    const chosen = chooseRows(index, rows(5000), options, stop.signal);
    const rejected = assert.rejects(chosen, /gone/);
    await setTimeout(1);
    stop.abort(new Error("gone"));
    await rejected;
  });
});
