import assert from "node:assert/strict";
import { exportRows, type EngineBatch } from "../../../../lib/node/retrieval/engine.ts";
import { openIndex } from "../../../../lib/node/retrieval/open-index.ts";
import { clipscope } from "../../../support/cli.ts";
import { fixture } from "../../../support/paths.ts";

const theirs = fixture("retrieval/clip-retrieval");

describe("clipscope index export", () => {
  it("names the package that is missing", async () => {
    const { status, stderr } = await clipscope(["index", "export", theirs, "--to", "lancedb:x"]);
    assert.equal(status, 2);
    assert.match(
      stderr,
      /^clipscope: lancedb: the package @lancedb\/lancedb is not installed; run "npm install /,
    );
  });

  it("prints the recipe for faiss, and refuses other engines", async () => {
    const { status, stdout } = await clipscope(["index", "export", theirs, "--to", "faiss"]);
    assert.equal(status, 0);
    assert.ok(stdout.includes(`--embeddings "${theirs}/img_emb"`));
    const other = await clipscope(["index", "export", theirs, "--to", "milvus"]);
    assert.deepEqual(
      [other.status, other.stderr],
      [2, "clipscope: --to milvus: expected lancedb:URI or faiss\n"],
    );
  });

  it("gives an engine the rows that are not deleted, with their vectors and metadata", async () => {
    const index = await openIndex(theirs);
    for (const id of [0, 31]) index.deleted.add(id);
    const batches: EngineBatch[] = [];
    let isFinished = false;
    const rows = await exportRows(
      index,
      {
        append: (batch) => Promise.resolve(void batches.push(batch)),
        finish: () => Promise.resolve(void (isFinished = true)),
        close: () => Promise.resolve(),
      },
      () => undefined,
    );
    const expected = await index.readRows([32]);
    await index.close();
    assert.deepEqual([rows, batches.length, isFinished], [31, 1, true]);
    const [{ ids, vectors, rows: metadata }] = batches as [EngineBatch];
    assert.deepEqual([ids[0], ids.at(-1), ids.length], [1, 32, 31]);
    assert.deepEqual(vectors.slice(-8), expected);
    assert.equal(metadata.at(-1)!["image_path"], "image 32");
  });
});
