import assert from "node:assert/strict";
import { spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import { readFile, readdir, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { hostname } from "node:os";
import { setTimeout as sleep } from "node:timers/promises";
import { takeLock, withLock, type HeldLock, type LockOfOther } from "../../../lib/node/files/lock.ts";
import { aroundFileCalls } from "../../support/faults/file-calls.ts";
import { leaveLock } from "../../support/leave-lock.ts";
import { packageRoot } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const module = `${packageRoot}dist/lib/node/files/lock.js`;

describe("locks", () => {
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
    const [title, fields] = (await readlink(path)).split("?");
    await own.release();
    const holder = Object.fromEntries(new URLSearchParams(fields));
    const { host, machine, boot, container, start } = holder;
    assert.equal(host, hostname());
    const dead = { pid: "999999999" };
    for (const [what, changes, state] of [
      ["this process", {}, "held"],
      ["a process that does not exist", dead, "free"],
      ["another machine's process", { ...dead, host: "elsewhere" }, "unknown"],
      ["a machine with the same name", { ...dead, machine: `${machine!}x` }, "unknown"],
      ["another container's process", { ...dead, container: `${container!}x` }, "unknown"],
      ["an earlier boot", { boot: `${boot!}x` }, machine === "" ? "unknown" : "free"],
      ["a process whose number belongs to another one now", { start: `${start!}1` }, "free"],
      ["a process whose start is unknown", { start: "" }, "unknown"],
    ] as const) {
      if (start === "" && "start" in changes) continue; // not on Linux
      const text = `${title!}?${new URLSearchParams({ ...holder, ...changes }).toString()}`;
      for (const leave of [symlink, (content: string) => writeFile(path, content)]) {
        await leave(text, path);
        const lock = await takeLock(path);
        const found = "release" in lock ? "free" : lock.isCertain ? "held" : "unknown";
        assert.equal(found, state, what);
        if ("release" in lock) await lock.release();
        await rm(path, { force: true });
      }
    }
  });

  it("of a killed process are taken over by one of two, whatever the order of their calls", async () => {
    const path = folder.file("lock");
    for (let at = 1, isReached = true; isReached; at++) {
      leaveLock(path);
      let count = 0;
      let second: HeldLock | LockOfOther | undefined;
      // The second one does all of its work before a call of the first one.
      const restore = await aroundFileCalls(folder.path, async ({ proceed }) => {
        count += 1;
        if (count === at) {
          restore();
          second = await takeLock(path);
        }
        return proceed();
      });
      const first = await takeLock(path);
      restore();
      isReached = second !== undefined;
      second ??= await takeLock(path);
      const held = [first, second].filter((lock) => "release" in lock);
      assert.equal(held.length, 1, `before call ${at}`);
      await held[0]!.release();
      assert.deepEqual(await readdir(folder.path), [], `before call ${at}`);
    }
  });

  // Only Linux shows the state of a process in a file.
  if (process.platform === "linux") {
    it("of a killed process are free before its parent notices", async () => {
      const path = folder.file("lock");
      const script = `
        const { takeLock } = await import(${JSON.stringify(module)});
        await takeLock(process.argv[1]);
        process.kill(process.pid, "SIGKILL");`;
      // The shell does not wait for its child, which becomes a zombie.
      const shell = spawn("sh", ["-c", '"$@" & exec sleep 60', "sh", process.execPath, "-e", script, path]);
      const isZombie = async (): Promise<boolean> => {
        const text = await readlink(path).catch(() => "");
        const pid = new URLSearchParams(text.split("?")[1]).get("pid");
        return pid !== null && (await readFile(`/proc/${pid}/stat`, "utf8")).includes(") Z ");
      };
      try {
        while (!(await isZombie())) await sleep(20);
        assert.ok("release" in (await takeLock(path)));
      } finally {
        shell.kill("SIGKILL");
      }
    });
  }

  it("work without symbolic links", async () => {
    const script = `
      import fs from "node:fs";
      import { syncBuiltinESMExports } from "node:module";
      fs.promises.symlink = async () => { throw Object.assign(new Error("no links"), { code: "EPERM", syscall: "symlink" }); };
      syncBuiltinESMExports();
      const { takeLock } = await import(${JSON.stringify(module)});
      const own = await takeLock(process.argv[1]);
      const other = await takeLock(process.argv[1]);
      const kind = fs.lstatSync(process.argv[1]).isFile();
      await own.release();
      console.log(kind, other.heldBy.pid === process.pid, fs.existsSync(process.argv[1]));
      await takeLock(process.argv[1]);
      process.kill(process.pid, "SIGKILL");`;
    const path = folder.file("lock");
    const { stdout } = spawnSync(process.execPath, ["--input-type=module", "-e", script, path]);
    assert.equal(stdout.toString(), "true true false\n");
    const lock = await takeLock(path);
    assert.ok("release" in lock);
    await lock.release();
    assert.deepEqual(await readdir(folder.path), []);
  });

  it("are deleted when their holder exits, even while it releases them, and those of others are not", async () => {
    const path = folder.file("lock");
    const holder = (work: string): ReturnType<typeof spawnSync> =>
      spawnSync(process.execPath, [
        "--input-type=module",
        "-e",
        `const fs = await import("node:fs");
        const { takeLock } = await import(${JSON.stringify(module)});
        const lock = await takeLock(process.argv[1]);
        ${work}`,
        path,
      ]);
    assert.equal(holder("process.exit(3);").status, 3);
    assert.deepEqual(await readdir(folder.path), []);
    assert.equal(holder("void lock.release(); process.exit(3);").status, 3);
    assert.deepEqual(await readdir(folder.path), []);
    const { status } = holder(`
      const text = fs.readlinkSync(process.argv[1]).replace(/.{24}$/, "0".repeat(24));
      fs.rmSync(process.argv[1]);
      fs.symlinkSync(text, process.argv[1]);
      process.exit(3);`);
    assert.equal(status, 3);
    assert.deepEqual(await readdir(folder.path), ["lock"]);
  });

  it("of a successor stay when the first holder releases its own", async () => {
    const path = folder.file("lock");
    const first = await takeLock(path);
    assert.ok("release" in first);
    // The user deletes the lock, and another process starts.
    await rm(path);
    const second = await takeLock(path);
    assert.ok("release" in second);
    await first.release();
    assert.deepEqual(await readdir(folder.path), ["lock"]);
    await second.release();
    assert.deepEqual(await readdir(folder.path), []);
  });

  it("are not taken from another kind of file", async () => {
    const path = folder.file("lock");
    await writeFile(path, "my notes");
    await assert.rejects(
      takeLock(path),
      /lock: expected a lock of clipscope, found something else; move it away/,
    );
    assert.equal(await readFile(path, "utf8"), "my notes");
  });
});
