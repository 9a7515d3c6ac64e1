/** Kills at random moments, and files as NumPy, pandas' peers and faiss read them. */
import assert from "node:assert/strict";
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openIndex } from "../../../lib/node/retrieval/open-index.ts";
import { clipscopeProcess } from "../../support/cli.ts";
import { contentOf, imageShard } from "../../support/index-folder.ts";
import { packageRoot } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const kills = 100;

describe("clipscope index build", () => {
  const folder = temporaryFolder();

  /** Starts a command again until it ends by itself. @returns how often it was killed */
  async function killing(args: readonly string[], longest: number): Promise<number> {
    for (let count = 0; ; count++) {
      const child = spawn(process.execPath, ["bin/clipscope.js", ...args], {
        cwd: packageRoot,
        stdio: "ignore",
      });
      const timer = setTimeout(() => child.kill("SIGKILL"), 200 + Math.random() * longest);
      const [status, signal] = (await once(child, "exit")) as [number | null, NodeJS.Signals | null];
      clearTimeout(timer);
      if (signal === null) {
        assert.equal(status, 0);
        return count;
      }
      // A kill that comes ever later lets even the slowest step pass.
      longest *= 1.1;
    }
  }

  it(`gives the same bytes after ${kills} kills at random moments, and compact the old or the new index`, async () => {
    for (let i = 0; i < 3; i++) imageShard(folder.file(`${i}.tar`), 60 * i, 60);
    const args = (out: string): string[] => [
      ...["index", "build", folder.file("{0..2}.tar"), "--out", out],
      ...["--partition-rows", "60", "--captions"],
    ];
    const whole = folder.file("whole");
    assert.equal((await clipscopeProcess(args(whole))).status, 0);
    const expected = contentOf(whole);
    await removeAndCompact(whole);
    const compacted = contentOf(whole);
    let count = 0;
    while (count < kills) {
      const out = folder.file("killed");
      rmSync(out, { recursive: true, force: true });
      count += await killing(args(out), 1500);
      assert.deepEqual(contentOf(out), expected);
      assert.equal((await clipscopeProcess(["index", "remove", out, "--id", "3", "--id", "70"])).status, 0);
      count += await killing(["index", "compact", out, "--partition-rows", "60"], 300);
      assert.deepEqual(vectorsOf(contentOf(out)), vectorsOf(compacted));
      const index = await openIndex(out);
      await index.close();
      assert.equal(index.rows, 178);
      assert.equal((await clipscopeProcess(["index", "verify", out])).status, 0);
    }
  });

  async function removeAndCompact(out: string): Promise<void> {
    assert.equal((await clipscopeProcess(["index", "remove", out, "--id", "3", "--id", "70"])).status, 0);
    assert.equal((await clipscopeProcess(["index", "compact", out, "--partition-rows", "60"])).status, 0);
  }

  /** Vectors in the order of their names: a compaction that was killed has used up numbers. */
  function vectorsOf(content: ReadonlyMap<string, string>): string[] {
    return [...content].filter(([path]) => /^(img|text)_emb/.test(path)).map(([, bytes]) => bytes);
  }

  it("writes vectors that NumPy and faiss read, with the neighbours that faiss finds", async () => {
    imageShard(folder.file("0.tar"), 0, 16);
    const out = folder.file("index");
    const built = await clipscopeProcess([
      "index",
      "build",
      folder.file("0.tar"),
      "--out",
      out,
      "--partition-rows",
      "8",
    ]);
    assert.equal(built.status, 0);
    const program = [
      "import glob, json, sys",
      "import numpy as np, faiss",
      "rows = np.concatenate([np.load(f) for f in sorted(glob.glob(sys.argv[1] + '/img_emb/*.npy'))])",
      "assert rows.dtype == np.float16 and rows.flags.c_contiguous",
      "index = faiss.IndexFlatIP(rows.shape[1])",
      "index.add(rows.astype('f4'))",
      "print(json.dumps([rows.tolist(), index.search(rows[:4].astype('f4'), 2)[1].tolist()]))",
    ].join("\n");
    const printed = execFileSync("/usr/bin/python3", ["-c", program, out], { encoding: "utf8" });
    const [rows, neighbours] = JSON.parse(printed) as [number[][], number[][]];
    const index = await openIndex(out);
    const stored = await index.readRows(Array.from({ length: index.rows }, (_, id) => id));
    await index.close();
    assert.deepEqual(rows.flat(), Array.from(stored));
    // Each image is in the shard twice, eight samples apart.
    assert.deepEqual(
      neighbours.map((ids) => ids.sort((a, b) => a - b)),
      [0, 1, 2, 3].map((id) => [id, id + 8]),
    );
    assert.deepEqual(readdirSync(join(out, "img_emb")).length, 1);
  });
});
