/** Kills at random moments while columns are computed: the index stays whole, and the bytes are those of one run. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openIndex } from "../../../../lib/node/retrieval/open-index.ts";
import { clipscopeProcess } from "../../../support/cli.ts";
import { packageRoot } from "../../../support/paths.ts";
import { temporaryFolder } from "../../../support/temporary.ts";
import { normalised, randomNumbers, writeVectorIndex } from "../../../support/vector-index.ts";

const [rows, width] = [6000, 96];
const kills = 12;

describe("clipscope index score, dedup and cluster", () => {
  const folder = temporaryFolder();

  /** The column files of an index, by their paths. */
  function columnsOf(path: string): Map<string, string> {
    const at = join(path, "columns");
    const names = readdirSync(at, { recursive: true, encoding: "utf8" }).sort();
    const files = names.filter((name) => /\.(parquet|npy)$/.test(name));
    return new Map(files.map((name) => [name, readFileSync(join(at, name)).toString("base64")]));
  }

  /** Runs a command until it ends by itself. @returns how often it was killed */
  async function killing(args: readonly string[], check: () => Promise<void>): Promise<number> {
    for (let count = 0; ; count++) {
      const child = spawn(process.execPath, ["bin/clipscope.js", ...args], {
        cwd: packageRoot,
        stdio: "ignore",
      });
      // Later and later, so that each step passes in the end.
      const timer = setTimeout(() => child.kill("SIGKILL"), 200 + 1500 * Math.random() * 1.2 ** count);
      const [status, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
      clearTimeout(timer);
      await check();
      if (signal !== null) continue;
      assert.equal(status, 0);
      return count;
    }
  }

  for (const args of [
    ["score", "--id", "3", "--as", "near"],
    ["dedup", "--threshold", "0.9", "--as", "same", "--remove"],
    ["cluster", "--clusters", "40", "--as", "group"],
  ] as const) {
    it(`${args[0]}: gives the same bytes after kills at random moments`, async () => {
      const { normal, uniform } = randomNumbers(9);
      const values = Float32Array.from({ length: rows * width }, () => 0.3 + normal());
      for (let row = 1; row < rows; row++) {
        if (uniform() > 0.1) continue;
        values.copyWithin(row * width, (row - 1) * width, row * width);
        values[row * width]! += 1;
      }
      const source = await writeVectorIndex(folder.file("source"), normalised(values, width), width, 1000);
      const command = (path: string): string[] => ["index", args[0], path, ...args.slice(1)];
      const whole = folder.file("whole");
      cpSync(source, whole, { recursive: true });
      assert.equal((await clipscopeProcess(command(whole))).status, 0);
      const expected = columnsOf(whole);
      assert.ok(expected.size >= 6);
      const index = await openIndex(whole);
      const deleted = index.deleted.count;
      await index.close();
      assert.equal(deleted > 0, args[0] === "dedup");
      for (let count = 0; count < kills;) {
        const path = folder.file("killed");
        rmSync(path, { recursive: true, force: true });
        cpSync(source, path, { recursive: true });
        count += await killing(command(path), async () => {
          // Columns are there as a whole or not at all.
          const open = await openIndex(path);
          for (const { name, type } of open.columns.slice(2)) {
            const column = await open.readColumn(name);
            assert.equal(column.type, type);
          }
          assert.ok([0, deleted].includes(open.deleted.count));
          await open.close();
        });
        assert.deepEqual(columnsOf(path), expected);
        assert.equal((await clipscopeProcess(["index", "verify", path])).status, 0);
        assert.deepEqual(
          readdirSync(path).filter((name) => /pairs|clusters|lock|tmp/.test(name)),
          [],
        );
        const done = await openIndex(path);
        assert.equal(done.deleted.count, deleted);
        await done.close();
      }
    });
  }
});
