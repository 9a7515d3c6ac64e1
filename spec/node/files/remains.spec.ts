import assert from "node:assert/strict";
import { readdirSync, symlinkSync, writeFileSync } from "node:fs";
import { takeLock } from "../../../lib/node/files/lock.ts";
import { removeRemains } from "../../../lib/node/files/remains.ts";
import { leaveLock } from "../../support/leave-lock.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("removeRemains", () => {
  const folder = temporaryFolder();
  const leave = (...names: readonly string[]): void => {
    for (const name of names) writeFileSync(folder.file(name), "x");
  };

  it("removes backups, temporary files, journals and locks of dead processes", async () => {
    leave("a", "a.clipscope.old", "a.clipscope.tmp", "a.journal", "b.clipscope.old");
    leaveLock(folder.file("a.clipscope.lock"));
    leaveLock(folder.file("a.journal.clipscope.lock"));
    await removeRemains(folder.file("a"));
    assert.deepEqual(readdirSync(folder.path).sort(), ["a", "b.clipscope.old"]);
  });

  it("leaves what a running process uses", async () => {
    leave("a", "a.clipscope.tmp", "a.journal");
    const lock = await takeLock(folder.file("a.clipscope.lock"));
    const journal = await takeLock(folder.file("a.journal.clipscope.lock"));
    const before = readdirSync(folder.path);
    await removeRemains(folder.file("a"));
    assert.deepEqual(readdirSync(folder.path), before);
    for (const held of [lock, journal]) if ("release" in held) await held.release();
    await removeRemains(folder.file("a"));
    assert.deepEqual(readdirSync(folder.path), ["a"]);
  });

  it("leaves what is not a lock, and does not fail", async () => {
    leave("a", "a.clipscope.old");
    symlinkSync("something", folder.file("a.clipscope.lock"));
    await removeRemains(folder.file("a"));
    assert.equal(readdirSync(folder.path).length, 3);
    await removeRemains(folder.file("missing/folder/a"));
  });
});
