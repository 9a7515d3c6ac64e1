import assert from "node:assert/strict";
import { cpSync, mkdirSync, readdirSync, rmSync, utimesSync } from "node:fs";
import { join } from "node:path";
import { openIndex } from "../../../../lib/node/retrieval/open-index.ts";
import { clipscope } from "../../../support/cli.ts";
import { imageFolder, sampleNames } from "../../../support/index-folder.ts";
import { temporaryFolder } from "../../../support/temporary.ts";

/** The names of the images that a query can find, in the order of their ids. */
async function namesIn(path: string): Promise<string[]> {
  const index = await openIndex(path);
  const ids = Array.from({ length: index.rows }, (_, id) => id).filter((id) => !index.deleted.has(id));
  const rows = await index.readMetadata(ids);
  await index.close();
  return rows.map((row) => String(row["image_path"]).replace(/.*\//, ""));
}

describe("clipscope index add", () => {
  const folder = temporaryFolder();
  let photos: string;
  let out: string;

  beforeEach(async () => {
    photos = imageFolder(folder.file("photos"), sampleNames.slice(0, 4));
    out = folder.file("index");
    assert.equal((await clipscope(["index", "build", photos, "--out", out])).status, 0);
  });

  it("embeds new and changed images only; a changed one replaces its old row", async () => {
    cpSync(join(photos, sampleNames[0]!), join(photos, "zz.jpg"));
    utimesSync(join(photos, sampleNames[1]!), 1000, 1000);
    const { stdout } = await clipscope(["index", "add", out, photos]);
    assert.equal(stdout, `${out}: 1 partition built, 2 rows, 1 replaced\n`);
    const expected = [sampleNames[0]!, ...sampleNames.slice(2, 4), sampleNames[1]!, "zz.jpg"];
    assert.deepEqual(await namesIn(out), expected);
    assert.equal(
      (await clipscope(["index", "add", out, photos])).stdout,
      `${out}: 0 partitions built, 0 rows\n`,
    );
  });

  it("--prune drops what vanished, which comes back with its file", async () => {
    const file = join(photos, sampleNames[3]!);
    cpSync(file, folder.file("kept"), { preserveTimestamps: true });
    rmSync(file);
    assert.match((await clipscope(["index", "add", out, photos, "--prune"])).stdout, /1 pruned\n$/);
    assert.deepEqual(await namesIn(out), sampleNames.slice(0, 3));
    cpSync(folder.file("kept"), file, { preserveTimestamps: true });
    assert.match((await clipscope(["index", "add", out, photos])).stdout, /1 partition built, 1 rows/);
    assert.deepEqual(await namesIn(out), sampleNames.slice(0, 4));
    const none = await clipscope(["index", "add", out, folder.file("unmounted"), "--prune"]);
    assert.match(none.stderr, /--prune: .*is its disk mounted\?\n$/);
    assert.deepEqual(await namesIn(out), sampleNames.slice(0, 4));
  });

  it("removed rows stay away, compacted or not; ids of others stay until then", async () => {
    await clipscope(["index", "remove", out, "--id", "1"]);
    await clipscope(["index", "add", out, photos]);
    const left = sampleNames.slice(0, 4).filter((_, i) => i !== 1);
    assert.deepEqual(await namesIn(out), left);
    const { stdout } = await clipscope(["index", "compact", out, "--json"]);
    assert.deepEqual(JSON.parse(stdout), {
      index: out,
      generation: 1,
      rows: 3,
      dropped: 1,
      partitionsBefore: 1,
      partitions: 1,
    });
    await clipscope(["index", "add", out, photos]);
    assert.deepEqual(await namesIn(out), left);
    assert.match((await clipscope(["index", "verify", out])).stdout, /1 partitions, 3 rows, no problems/);
    assert.deepEqual(readdirSync(join(out, "img_emb")), ["img_emb_000001.npy"]);
  });

  it("remove --where deletes the rows whose metadata match", async () => {
    const where = `image_path LIKE '%${sampleNames[2]!}' OR bytes < 0`;
    const { stdout } = await clipscope(["index", "remove", out, "--where", where]);
    assert.equal(stdout, `${out}: 1 rows removed\n`);
    assert.deepEqual(
      await namesIn(out),
      sampleNames.slice(0, 4).filter((_, i) => i !== 2),
    );
    const unknown = await clipscope(["index", "remove", out, "--where", "NSFW = 'x'"]);
    assert.match(
      unknown.stderr,
      /^clipscope: where: expected a column of .*\(image_path, caption.*found NSFW, at character 1\n {2}NSFW = 'x'\n {2}\^\n$/,
    );
  });

  it("adopts embeddings in clip-retrieval's layout, and opens them as they are", async () => {
    const theirs = folder.file("theirs");
    mkdirSync(theirs);
    for (const [from, to] of [
      ["img_emb/img_emb_000000.npy", "img_emb/img_emb_0.npy"],
      ["metadata/metadata_000000.parquet", "metadata/metadata_0.parquet"],
    ] as const)
      cpSync(join(out, from), join(theirs, to));
    assert.deepEqual(await namesIn(theirs), sampleNames.slice(0, 4));
    const mine = folder.file("mine");
    const adopted = await clipscope(["index", "add", mine, "--embeddings", theirs]);
    assert.equal(adopted.stdout, `${mine}: 1 partitions adopted, 4 rows\n`);
    assert.match(adopted.stderr, /does not record the model that made it.*index verify/);
    assert.deepEqual(await namesIn(mine), sampleNames.slice(0, 4));
    const checked = await clipscope(["index", "verify", mine, "--sample", "3"]);
    assert.match(checked.stdout, /all 3 cosines are at least 0\.95/);
    // Images under the wrong ids, as of another model.
    const wrong = folder.file("wrong");
    mkdirSync(wrong);
    for (const id of [0, 1]) cpSync(join(photos, sampleNames[id + 1]!), join(wrong, `${id}.jpg`));
    const refused = await clipscope(["index", "verify", mine, "--images", wrong]);
    assert.deepEqual([refused.status, /some cosines are below 0\.95/.test(refused.stdout)], [1, true]);
  });
});
