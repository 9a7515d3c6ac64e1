import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import {
  findCachedDataset,
  pullDataset,
  type PullDatasetOptions,
  type PulledDataset,
} from "../../../lib/node/hub/pull-dataset.ts";
import { assertRefused, hubRoom, quickRetries } from "../../support/pull.ts";

const repository = "clip-benchmark/wds_made";
const shard = Buffer.alloc(150_000, "shard");

const files = {
  "README.md": "hello\n",
  "classnames.txt": "cat\ndog\n",
  "zeroshot_classification_templates.txt": "a photo of a {c}\n",
  "test/nshards.txt": "2\n",
  "test/0.tar": shard,
  "test/1.tar": Buffer.from("the last one"),
  "test/2.tar": "not counted",
  "train/nshards.txt": "1",
  "train/0.tar": "train",
};

describe("pullDataset", () => {
  const room = hubRoom();
  const pull = (options: PullDatasetOptions = {}): Promise<PulledDataset> =>
    pullDataset(repository, { retryPolicy: quickRetries, ...options });
  const add = (content: typeof files | object = files): string =>
    room.hub.add(`datasets/${repository}`, content as typeof files);

  it("stores the texts and the shards of a split as huggingface_hub does", async () => {
    const commit = add();
    const report = await pull();
    assert.deepEqual(report.folder, room.cache("datasets--clip-benchmark--wds_made", "snapshots", commit));
    assert.deepEqual(
      report.files.map(({ path }) => path),
      [
        "classnames.txt",
        "zeroshot_classification_templates.txt",
        "test/nshards.txt",
        "test/0.tar",
        "test/1.tar",
      ],
    );
    assert.deepEqual(await readFile(join(report.folder, "test/0.tar")), shard);
    assert.equal(existsSync(join(report.folder, "train")), false);
    assert.equal(await findCachedDataset({ repository, revision: "main" }), report.folder);
    assert.equal(await findCachedDataset({ repository, revision: "main" }, "train"), null);

    const both = await pull({ splits: ["train", "test"] });
    assert.deepEqual(
      both.files.filter(({ downloaded }) => downloaded > 0).map(({ path }) => path),
      ["train/nshards.txt", "train/0.tar"],
    );
    assert.equal(await findCachedDataset({ repository, revision: "main" }, "train"), report.folder);
  });

  it("resumes a shard, and is not in the cache before all are", async () => {
    add();
    room.disturbDownloads({ cutAfter: 100_000 }, { status: 503 }, { status: 503 });
    await assertRefused(pull(), /run the command again/);
    assert.equal(await findCachedDataset({ repository, revision: "main" }), null);
    room.disturbDownloads();
    const { files: pulled, folder } = await pull();
    assert.deepEqual(
      room.hub.downloads.map(({ range }) => range).at(-1),
      `bytes=${shard.length - pulled.find(({ path }) => path === "test/0.tar")!.downloaded}-`,
    );
    assert.deepEqual(await readFile(join(folder, "test/0.tar")), shard);
  });

  it("refuses damaged shards", async () => {
    add();
    room.disturbDownloads(...Array.from({ length: 9 }, () => ({ corrupt: true }) as const));
    await assertRefused(pull(), /test\/0\.tar/);
    assert.equal(await findCachedDataset({ repository, revision: "main" }), null);
  });

  it("names what is missing", async () => {
    await assertRefused(pull(), /datasets\/clip-benchmark\/wds_made: .* requires authentication|not found/);
    add();
    await assertRefused(pull({ splits: ["val"] }), /no split "val"; it has test, train/);
    add({ "test/nshards.txt": "3", "test/0.tar": "0", "test/1.tar": "1" });
    await assertRefused(pull(), /expected the file test\/2\.tar, which test\/nshards\.txt lists/);
    add({ "test/nshards.txt": "many" });
    await assertRefused(pull(), /nshards\.txt: expected the number of shards, found "many"/);
    add({ "README.md": "x" });
    await assertRefused(pull(), /expected a WebDataset with SPLIT\/nshards\.txt, found none/);
  });
});
