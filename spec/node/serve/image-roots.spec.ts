import assert from "node:assert/strict";
import { mkdirSync, realpathSync, symlinkSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { ImageRoots, recordedRoots } from "../../../lib/node/serve/image-roots.ts";
import { clipscope } from "../../support/cli.ts";
import { imageFolder, imageShard } from "../../support/index-folder.ts";
import { fixture } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("ImageRoots", () => {
  const folder = temporaryFolder();
  let photos: string;
  beforeEach(() => {
    photos = folder.file("photos");
    mkdirSync(join(photos, "inner"), { recursive: true });
    mkdirSync(folder.file("photos-of-others"));
    for (const file of ["photos/inner/a.png", "photos-of-others/b.png", "secret.png"])
      writeFileSync(folder.file(file), "");
  });

  it("finds files below a root, and none that a link or .. leads out to", async () => {
    const roots = await ImageRoots.open([], [photos]);
    const inner = join(photos, "inner/a.png");
    assert.equal(await roots.find(inner), realpathSync(inner));
    symlinkSync(folder.file("secret.png"), join(photos, "link.png"));
    symlinkSync(inner, folder.file("into.png"));
    for (const path of [
      join(photos, "link.png"),
      `${photos}/../secret.png`,
      folder.file("photos-of-others/b.png"),
      join(photos, "missing.png"),
      "/etc/passwd",
    ]) {
      assert.equal(await roots.find(path), null, path);
    }
    // A link from outside to a file of the root is a file of the root.
    assert.equal(await roots.find(folder.file("into.png")), realpathSync(inner));
  });

  it("shows paths from the root's name on, and none outside", async () => {
    const roots = await ImageRoots.open([], [photos]);
    assert.equal(roots.shown(join(realpathSync(photos), "inner/a.png")), "photos/inner/a.png");
    assert.equal(roots.shown("inner/a.png"), "inner/a.png");
    for (const path of [
      "/etc/passwd",
      "../secret.png",
      "inner/../../secret.png",
      realpathSync(folder.file("secret.png")),
    ])
      assert.equal(roots.shown(path), null, path);
  });

  it("leaves out recorded roots that are gone, and refuses given ones", async () => {
    assert.equal((await ImageRoots.open([folder.file("gone")], [])).count, 0);
    await assert.rejects(
      ImageRoots.open([], [folder.file("gone")]),
      /^InputError: --root .*gone: expected a folder/,
    );
    await assert.rejects(ImageRoots.open([], [folder.file("secret.png")]), /expected a folder/);
  });

  it("reads the roots of an index from its plans; others record none", async () => {
    imageFolder(folder.file("images"), ["orange-heart.jpg"]);
    mkdirSync(folder.file("shards"));
    imageShard(folder.file("shards/0.tar"), 0, 2);
    const index = folder.file("index");
    for (const args of [
      ["build", folder.file("images"), "--out", index],
      ["add", index, `${folder.file("shards")}/{0..0}.tar`],
    ]) {
      const { status, stderr } = await clipscope(["index", ...args]);
      assert.equal(status, 0, stderr);
    }
    assert.deepEqual((await recordedRoots(index)).sort(), [folder.file("images"), folder.file("shards")]);
    assert.deepEqual(await recordedRoots(fixture("retrieval/clip-retrieval")), []);
  });
});
