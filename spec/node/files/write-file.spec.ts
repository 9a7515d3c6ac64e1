import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import fs from "node:fs";
import { lstat, mkdir, readFile, readdir, symlink, writeFile } from "node:fs/promises";
import { syncBuiltinESMExports } from "node:module";
import { placeFor } from "../../../lib/node/files/output-path.ts";
import { writeTogether, writeWhole } from "../../../lib/node/files/write-file.ts";
import { aroundFileCalls } from "../../support/faults/file-calls.ts";
import { packageRoot } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("writing files", () => {
  const folder = temporaryFolder();

  it("keeps the previous file if writing fails", async () => {
    const [a, b] = [folder.file("a"), folder.file("b")];
    await writeFile(a, "before");
    const work = writeTogether([a, b], async ([first]) => {
      await first!.write(bytes("half"));
      throw new Error("stopped");
    });
    await assert.rejects(work, /stopped/);
    assert.deepEqual([await readdir(folder.path), await readFile(a, "utf8")], [["a"], "before"]);
    await writeWhole(a, [bytes("new "), bytes("text")]);
    assert.deepEqual([await readdir(folder.path), await readFile(a, "utf8")], [["a"], "new text"]);
  });

  it("brings each file to the disk before it gets its name, and the names before it ends", async () => {
    const calls: string[] = [];
    const restore = await aroundFileCalls(folder.path, ({ name, paths, proceed }) => {
      if (name === "sync" || name === "rename")
        calls.push(`${name} ${paths.at(-1)!.slice(folder.path.length)}`);
      return proceed();
    });
    try {
      await writeTogether([folder.file("a"), folder.file("b")], async (files) => {
        for (const file of files) await file.write(bytes("text"));
      });
    } finally {
      restore();
    }
    assert.deepEqual(calls, [
      "sync /a.clipscope.tmp",
      "sync /b.clipscope.tmp",
      "rename /a",
      "rename /b",
      "sync ",
    ]);
  });

  it("writes to the target of a link", async () => {
    await writeFile(folder.file("target"), "before");
    await symlink(folder.file("target"), folder.file("link"));
    await writeWhole(folder.file("link"), [bytes("after")]);
    assert.ok((await lstat(folder.file("link"))).isSymbolicLink());
    assert.equal(await readFile(folder.file("target"), "utf8"), "after");
  });

  it("writes to the target of a link that is missing, and refuses links in a circle", async () => {
    await mkdir(folder.file("inner"));
    await symlink("inner/second", folder.file("first"));
    await symlink("../target", folder.file("inner", "second"));
    await writeWhole(folder.file("first"), [bytes("new")]);
    assert.ok((await lstat(folder.file("first"))).isSymbolicLink());
    assert.equal(await readFile(folder.file("target"), "utf8"), "new");
    await symlink("none/target", folder.file("nowhere"));
    await assert.rejects(
      writeWhole(folder.file("nowhere"), []),
      /nowhere: the folder does not exist; create it/,
    );
    await symlink("loop", folder.file("loop"));
    await assert.rejects(writeWhole(folder.file("loop"), []), /loop: a link that points to itself/);
    assert.ok((await lstat(folder.file("loop"))).isSymbolicLink());
  });

  it("replaces neither devices nor inputs", async () => {
    if (process.platform !== "win32") await assert.rejects(writeWhole("/dev/null", []), /a device or a pipe/);
    const path = folder.file("read");
    await writeFile(path, "input");
    await symlink(path, folder.file("other-name"));
    await assert.rejects(placeFor(path, ["nowhere", folder.file("other-name")]), /read: is an input/);
    assert.equal(await placeFor(folder.file("new"), [path]), folder.file("new"));
  });

  it("does not replace a read-only file", async () => {
    const path = folder.file("a");
    await writeFile(path, "before");
    // For root, the system would not refuse.
    const { access } = fs.promises;
    fs.promises.access = () => Promise.reject(Object.assign(new Error("EACCES"), { code: "EACCES" }));
    syncBuiltinESMExports();
    try {
      await assert.rejects(writeWhole(path, [bytes("after")]), /\/a: permission denied$/);
    } finally {
      fs.promises.access = access;
      syncBuiltinESMExports();
    }
    assert.deepEqual([await readdir(folder.path), await readFile(path, "utf8")], [["a"], "before"]);
  });

  it("does not follow a link at the path of its temporary file", async () => {
    await writeFile(folder.file("target"), "before");
    await symlink(folder.file("target"), folder.file("a.clipscope.tmp"));
    await writeWhole(folder.file("a"), [bytes("after")]);
    assert.equal(await readFile(folder.file("target"), "utf8"), "before");
    assert.deepEqual((await readdir(folder.path)).sort(), ["a", "target"]);
  });

  it("moves all files back if one cannot be moved", async () => {
    const paths = ["a", "b", "c"].map((name) => folder.file(name));
    await writeFile(paths[0]!, "before");
    const restore = await aroundFileCalls(folder.path, ({ name, paths: [, target], proceed }) =>
      name === "rename" && target === paths[2]
        ? Promise.reject(Object.assign(new Error("EIO"), { code: "EIO", syscall: "rename" }))
        : proceed(),
    );
    try {
      const work = writeTogether(paths, async (files) => {
        for (const file of files) await file.write(bytes("after"));
      });
      await assert.rejects(work, /\/c: the disk failed to read or write; check it$/);
    } finally {
      restore();
    }
    assert.deepEqual([await readdir(folder.path), await readFile(paths[0]!, "utf8")], [["a"], "before"]);
  });

  it("explains why a file cannot be written", async () => {
    await mkdir(folder.file("folder"));
    await assert.rejects(writeWhole(folder.file("folder"), []), /folder: expected a file, found a folder/);
    await assert.rejects(writeWhole(folder.file("nowhere", "x"), []), /the folder does not exist/);
    assert.deepEqual(await readdir(folder.path), ["folder"]);
  });

  for (const [what, end, expected] of [
    ["after Ctrl-C, which still ends the process", 'process.kill(process.pid, "SIGINT")', "SIGINT"],
    ["when the program exits early", "process.exit(0)", null],
  ] as const)
    it(`removes incomplete files ${what}`, async () => {
      const script = `
      const { writeTogether } = await import(${JSON.stringify(`${packageRoot}dist/lib/node/files/write-file.js`)});
      const { TraceFile } = await import(${JSON.stringify(`${packageRoot}dist/lib/node/files/trace-file.js`)});
      (await TraceFile.create(process.argv[1] + "/trace")).append({}, new Uint8Array(10));
      const paths = ["a", "b", "c"].map((name) => process.argv[1] + "/" + name);
      await writeTogether(paths, async (files) => {
        for (const file of files) await file.write(new Uint8Array(10));
        ${end};
        await new Promise((resolve) => setTimeout(resolve, 10_000));
      });`;
      const { signal } = spawnSync(process.execPath, ["--input-type=module", "-e", script, folder.path]);
      assert.deepEqual([signal, await readdir(folder.path)], [expected, []]);
    });
});
