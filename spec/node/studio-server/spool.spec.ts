import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdirSync, readdirSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { Spool } from "../../../lib/node/studio-server/spool.ts";
import { MemoryTrace } from "../../../lib/trace/memory-trace.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("Spool", () => {
  const folder = temporaryFolder();

  it("keeps what a trace in memory keeps, and reads parts", async () => {
    const spool = await Spool.create(folder.path);
    const [onDisk, inMemory] = [await spool.newTrace(), new MemoryTrace()];
    for (const trace of [onDisk, inMemory]) {
      await trace.add("a", [1, 2, 3], Float32Array.of(1, 2, 3, 4, 5, 6));
      await trace.add("b", [2], Float32Array.of(7, 8));
    }
    assert.deepEqual(onDisk.taps, inMemory.taps);
    assert.equal(onDisk.size, inMemory.size);
    for (const [name, ...part] of [["a"], ["b"], ["a", 2], ["a", 1, 3], ["a", 4, 9], ["b", 2]] as const) {
      assert.deepEqual(await onDisk.read(name, ...part), (await inMemory.read(name, ...part)).slice());
    }
    assert.deepEqual(await onDisk.summary("a"), await inMemory.summary("a"));
    await assert.rejects(async () => onDisk.read("c"), /no tap "c"/);
    await spool.close();
    assert.deepEqual(readdirSync(folder.path), []);
  });

  it("is for its owner only, and deletes the file of a trace that is disposed", async () => {
    const spool = await Spool.create(folder.path);
    assert.equal(statSync(spool.folder).mode & 0o777, 0o700);
    const trace = await spool.newTrace();
    await trace.add("a", [1], Float32Array.of(1));
    assert.equal(readdirSync(spool.folder).length, 1);
    await trace.dispose();
    assert.deepEqual(readdirSync(spool.folder), []);
    await spool.close();
  });

  it("deletes what a killed process left, and nothing of a process that runs", async () => {
    const { pid } = spawnSync(process.execPath, ["-e", ""]);
    mkdirSync(join(folder.path, `clipscope-studio-${pid}-abc`));
    mkdirSync(join(folder.path, `clipscope-studio-${process.ppid}-def`));
    mkdirSync(join(folder.path, "clipscope-studio-notes"));
    const spool = await Spool.create(folder.path);
    await spool.close();
    assert.deepEqual(readdirSync(folder.path).sort(), [
      `clipscope-studio-${process.ppid}-def`,
      "clipscope-studio-notes",
    ]);
  });

  it("refuses a file that was cut off, and a folder that cannot be made", async () => {
    const spool = await Spool.create(folder.path);
    const trace = await spool.newTrace();
    await trace.add("a", [4], Float32Array.of(1, 2, 3, 4));
    truncateSync(join(spool.folder, readdirSync(spool.folder)[0]!), 6);
    await assert.rejects(trace.read("a"), /the file of a pass was changed; run the pass again/);
    await spool.close();
    await assert.rejects(Spool.create(folder.file("gone")), /gone/);
  });
});
