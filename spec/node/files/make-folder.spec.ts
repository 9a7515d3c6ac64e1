import assert from "node:assert/strict";
import { stat, symlink, writeFile } from "node:fs/promises";
import { makeFolder } from "../../../lib/node/files/make-folder.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("makeFolder", () => {
  const folder = temporaryFolder();

  it("makes a folder and its parents, also if others make them at the same time", async () => {
    const path = folder.file("a", "b", "c");
    await Promise.all([makeFolder(path), makeFolder(`${path}/`), makeFolder(folder.file("a", "b"))]);
    assert.ok((await stat(path)).isDirectory());
    await makeFolder(path);
  });

  it("accepts a link to a folder, and refuses what is not a folder", async () => {
    await symlink(".", folder.file("link"));
    await makeFolder(folder.file("link"));
    await writeFile(folder.file("file"), "");
    await assert.rejects(makeFolder(folder.file("file")), /file: expected a folder, found a file$/);
    await assert.rejects(makeFolder(folder.file("file", "in")), /in: a part of the path is not a folder$/);
    await symlink("nowhere", folder.file("dangling"));
    await assert.rejects(makeFolder(folder.file("dangling")), /dangling: the folder does not exist/);
  });

  if (process.platform === "linux") {
    it("gives an error in /proc, where Node's recursive mkdir does not end", async () => {
      await assert.rejects(
        makeFolder("/proc/clipscope/inner"),
        /^InputError: \/proc\/clipscope\/inner: this file system does not allow new folders; choose another place$/,
      );
    });
  }
});
