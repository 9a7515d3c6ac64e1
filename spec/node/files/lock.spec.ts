import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { readFile, readdir, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { takeLock, withLock } from "../../../lib/node/files/lock.ts";
import { leaveLock } from "../../support/leave-lock.ts";
import { packageRoot } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const module = `${packageRoot}dist/lib/node/files/lock.js`;

describe("lock files", () => {
  const folder = temporaryFolder();
  const { signal } = new AbortController();

  it("have one holder; the next one waits until it is released", async () => {
    const path = folder.file("lock");
    const order: string[] = [];
    const work = async (name: string): Promise<void> => {
      const onWait = (): void => void order.push(`${name} waits`);
      await withLock(path, { onWait, signal }, async () => {
        order.push(`${name} begins`);
        const second = await takeLock(path);
        assert.ok("heldBy" in second);
        assert.equal(second.heldBy.pid, process.pid);
        order.push(`${name} ends`);
      });
    };
    await Promise.all([work("a"), work("b")]);
    const isAFirst = order.find((line) => line.endsWith("begins")) === "a begins";
    const [first, second] = isAFirst ? ["a", "b"] : ["b", "a"];
    assert.deepEqual(
      order.filter((line) => !line.endsWith("waits")),
      [`${first} begins`, `${first} ends`, `${second} begins`, `${second} ends`],
    );
    assert.equal(order.filter((line) => line.endsWith("waits")).length, 1);
    assert.deepEqual(await readdir(folder.path), []);
  });

  it("let the wait be aborted", async () => {
    const path = folder.file("lock");
    await takeLock(path);
    const controller = new AbortController();
    const giveUp = (): void => {
      controller.abort(new Error("aborted"));
    };
    await assert.rejects(
      withLock(path, { onWait: giveUp, signal: controller.signal }, () => assert.fail("it is held")),
      { name: "AbortError" },
    );
  });

  it("of killed processes are taken over, again and again, and leave nothing behind", async () => {
    const path = folder.file("lock");
    for (let i = 0; i < 3; i++) leaveLock(path);
    const lock = await takeLock(path);
    assert.ok("release" in lock);
    assert.ok("heldBy" in (await takeLock(path)));
    await lock.release();
    assert.deepEqual(await readdir(folder.path), []);
  });

  it("of killed processes are taken over by one of many", async function () {
    this.timeout(60_000);
    const path = folder.file("lock");
    const log = folder.file("log");
    const script = `
      const { takeLock } = await import(${JSON.stringify(module)});
      const { appendFileSync } = await import("node:fs");
      for (let i = 0; i < 100; i++) {
        const lock = await takeLock(process.argv[1]);
        if (!("release" in lock)) continue;
        appendFileSync(process.argv[2], "+");
        await new Promise((resolve) => setTimeout(resolve, i % 3));
        appendFileSync(process.argv[2], "-");
        await lock.release();
      }`;
    for (let round = 0; round < 3; round++) {
      leaveLock(path);
      const exits = Array.from({ length: 4 }, () => {
        const args = ["--input-type=module", "-e", script, path, log];
        return once(spawn(process.execPath, args, { stdio: "inherit" }), "exit");
      });
      for (const exit of await Promise.all(exits)) assert.deepEqual(exit, [0, null]);
    }
    // Two holders at once would write "++".
    assert.match(await readFile(log, "utf8"), /^(\+-)+$/);
    assert.deepEqual(await readdir(folder.path), ["log"]);
  });

  it("are respected unless their holder is known to be dead", async () => {
    const path = folder.file("lock");
    const own = await takeLock(path);
    assert.ok("release" in own);
    const lines = (await readFile(path, "utf8")).split("\n");
    await own.release();
    const [, , host, machine, boot, container, start] = lines;
    assert.equal(host, hostname());
    const held = (changes: Readonly<Record<number, string>>): string =>
      lines.map((line, i) => changes[i] ?? line).join("\n");
    for (const [what, text, isFree] of [
      ["this process", held({}), false],
      ["a process that does not exist", held({ 1: "999999999" }), true],
      ["another machine's process", held({ 1: "999999999", 2: "elsewhere" }), false],
      ["a machine with the same name", held({ 1: "999999999", 3: `${machine!}x` }), false],
      ["another container's process", held({ 1: "999999999", 5: `${container!}x` }), false],
      ["an earlier boot", held({ 4: `${boot!}x` }), machine !== ""],
      ["a process whose number belongs to another one now", held({ 6: `${start!}1` }), start !== ""],
    ] as const) {
      await writeFile(path, text);
      const lock = await takeLock(path);
      assert.equal("release" in lock, isFree, what);
      if ("release" in lock) await lock.release();
    }
  });

  it("are not taken from another kind of file", async () => {
    const path = folder.file("lock");
    await writeFile(path, "my notes");
    await assert.rejects(takeLock(path), /lock: expected a lock file, found something else; move it away/);
    assert.equal(await readFile(path, "utf8"), "my notes");
  });
});
