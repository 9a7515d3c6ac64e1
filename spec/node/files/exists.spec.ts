import assert from "node:assert/strict";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { exists, isInside } from "../../../lib/node/files/exists.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { unprivileged } from "../../support/unprivileged.ts";

describe("exists", () => {
  const folder = temporaryFolder();

  it("tells what is there from what is not", async () => {
    await writeFile(folder.file("file"), "");
    assert.equal(await exists(folder.file("file")), true);
    assert.equal(await exists(folder.path), true);
    for (const missing of ["none", "file/inside", "n".repeat(300), "zero\0byte"]) {
      assert.equal(await exists(folder.file(missing)), false, missing);
    }
  });

  if (process.platform !== "win32") {
    it("throws where the system does not say, instead of taking a file for missing", async () => {
      await symlink("loop", folder.file("loop"));
      await assert.rejects(exists(folder.file("loop")), /loop: a link that points to itself/);
      await chmod(folder.path, 0o755);
      await mkdir(folder.file("private"), { mode: 0o000 });
      await assert.rejects(
        unprivileged(() => exists(folder.file("private", "open_clip_config.json"))),
        /^InputError: .*open_clip_config\.json: permission denied$/,
      );
    });
  }
});

describe("isInside", () => {
  it("refuses paths that leave their folder", () => {
    for (const path of ["a", "a/b", "a..b", ".hidden"]) assert.equal(isInside(path), true, path);
    for (const path of ["/a", "\\a", "C:a", "..", "a/../b", "a\\..\\b"])
      assert.equal(isInside(path), false, path);
  });
});
