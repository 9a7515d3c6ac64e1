import assert from "node:assert/strict";
import { lstat, mkdir, readFile, readlink, rm, symlink, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { CachedRepository } from "../../../lib/node/hub/cache.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("CachedRepository", () => {
  const folder = temporaryFolder();
  const commit = "4e10a17b187078d47288b0e77cc3400327070755";
  let cached: CachedRepository;
  let place: string;

  beforeEach(async () => {
    cached = new CachedRepository("clipscope/tiny", folder.file("hub"));
    await mkdir(dirname(cached.blob("ab12")), { recursive: true });
    await writeFile(cached.blob("ab12"), "{}");
    place = join(cached.snapshot(commit), "text/config.json");
  });

  it("links a file of a snapshot to its bytes, by a relative path", async () => {
    await cached.link("ab12", commit, "text/config.json");
    assert.equal(await readlink(place), "../../../blobs/ab12");
    assert.equal(await readFile(place, "utf8"), "{}");
  });

  it("leaves a correct link in place, for processes that read through it", async () => {
    await cached.link("ab12", commit, "text/config.json");
    const { ino } = await lstat(place);
    await cached.link("ab12", commit, "text/config.json");
    assert.equal((await lstat(place)).ino, ino);
  });

  it("replaces another link, and a file", async () => {
    await mkdir(dirname(place), { recursive: true });
    await symlink("../../../blobs/other", place);
    await cached.link("ab12", commit, "text/config.json");
    assert.equal(await readFile(place, "utf8"), "{}");
    await rm(place);
    await writeFile(place, "damaged");
    await cached.link("ab12", commit, "text/config.json");
    assert.equal(await readFile(place, "utf8"), "{}");
  });
});
