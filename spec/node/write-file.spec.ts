import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir, readFile, readdir, writeFile } from "node:fs/promises";
import { writeTogether, writeWhole } from "../../lib/node/write-file.ts";
import { packageRoot } from "../support/paths.ts";
import { temporaryFolder } from "../support/temporary.ts";

const bytes = (text: string): Uint8Array => new TextEncoder().encode(text);

describe("files that appear whole or not at all", () => {
  const folder = temporaryFolder();

  it("leave what was there before where writing fails half-way", async () => {
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

  it("say why they cannot be written", async () => {
    await mkdir(folder.file("folder"));
    await assert.rejects(writeWhole(folder.file("folder"), []), /folder: expected a file, found a folder/);
    await assert.rejects(writeWhole(folder.file("nowhere", "x"), []), /no such folder to write to/);
    assert.deepEqual(await readdir(folder.path), ["folder"]);
  });

  it("leave nothing half-written behind a Ctrl-C, which still ends the process", async () => {
    const script = `
      const { writeTogether } = await import(${JSON.stringify(`${packageRoot}dist/lib/node/write-file.js`)});
      const { TraceFile } = await import(${JSON.stringify(`${packageRoot}dist/lib/node/trace-file.js`)});
      (await TraceFile.create(process.argv[1] + "/trace")).append({}, new Uint8Array(10));
      const paths = ["a", "b", "c"].map((name) => process.argv[1] + "/" + name);
      await writeTogether(paths, async (files) => {
        for (const file of files) await file.write(new Uint8Array(10));
        process.kill(process.pid, "SIGINT");
        await new Promise((resolve) => setTimeout(resolve, 10_000));
      });`;
    const { signal } = spawnSync(process.execPath, ["--input-type=module", "-e", script, folder.path]);
    assert.deepEqual([signal, await readdir(folder.path)], ["SIGINT", []]);
  });
});
