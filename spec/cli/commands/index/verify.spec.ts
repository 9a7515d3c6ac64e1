import assert from "node:assert/strict";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { takeLock } from "../../../../lib/node/files/lock.ts";
import { clipscope, clipscopeProcess } from "../../../support/cli.ts";
import { imageFolder } from "../../../support/index-folder.ts";
import { temporaryFolder } from "../../../support/temporary.ts";

describe("clipscope index verify", () => {
  const folder = temporaryFolder();
  let out: string;

  beforeEach(async () => {
    out = folder.file("index");
    const photos = imageFolder(folder.file("photos"));
    assert.equal(
      (await clipscope(["index", "build", photos, "--out", out, "--partition-rows", "4"])).status,
      0,
    );
  });

  const vectors = "img_emb/img_emb_000001.npy";

  /** Overwrites a file from a position on. */
  function change(path: string, at: number, bytes: readonly number[]): void {
    const content = readFileSync(join(out, path));
    content.set(bytes, at);
    writeFileSync(join(out, path), content);
  }

  for (const [what, damage, expected] of [
    [
      "a number that changed",
      (): void => {
        change(vectors, 300, [0x12]);
      },
      /its content is not what was written/,
    ],
    [
      "NaN",
      (): void => {
        change(vectors, 128 + 2 * 96, [0, 0x7e]);
      },
      /img_emb_000001\.npy: row 1: has numbers that are not finite/,
    ],
    [
      "a vector that is too long",
      (): void => {
        change(vectors, 128, [0, 0x40]);
      },
      /row 0: expected the length 1, found/,
    ],
    [
      "a missing file",
      (): void => {
        rmSync(join(out, vectors));
      },
      /partition 1: img_emb\/img_emb_000001\.npy: missing/,
    ],
    [
      "a damaged table",
      (): void => {
        change("metadata/metadata_000001.parquet", 0, [0, 0, 0, 0]);
      },
      /metadata_000001\.parquet: its content is not what was written/,
    ],
  ] as const) {
    it(`reports ${what}, with status 1`, async () => {
      damage();
      const { status, stdout } = await clipscope(["index", "verify", out]);
      assert.equal(status, 1, stdout);
      assert.match(stdout, expected);
    });
  }
});

describe("clipscope index build, beside others", () => {
  const folder = temporaryFolder();

  it("refuses a folder that another process builds", async () => {
    const photos = imageFolder(folder.file("photos"));
    const out = folder.file("index");
    assert.equal((await clipscope(["index", "plan", photos, "--out", out])).status, 0);
    const lock = await takeLock(join(out, "build.clipscope.lock"));
    assert.ok("release" in lock);
    const { status, stderr } = await clipscope(["index", "build", "--out", out]);
    await lock.release();
    assert.deepEqual([status, /in use by this process/.test(stderr)], [2, true]);
  });

  it("commits nothing where a file cannot be written whole, and completes where it can", async () => {
    const photos = imageFolder(folder.file("photos"));
    const out = folder.file("index");
    assert.equal((await clipscope(["index", "plan", photos, "--out", out])).status, 0);
    const full = await clipscopeProcess(["index", "build", "--out", out], { fileLimit: 3 });
    assert.equal(full.status, 2, full.stderr);
    assert.match(full.stderr, /^clipscope: .*: the file exceeds the size limit/);
    assert.match((await clipscope(["index", "build", "--out", out])).stdout, /1 partition built, 8 rows/);
  });
});
