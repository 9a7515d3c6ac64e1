/** Against a folder that NumPy and DuckDB wrote; see tools/golden/clip_retrieval_folder.py. */
import assert from "node:assert/strict";
import { cpSync, readFileSync, renameSync, rmSync, truncateSync, writeFileSync } from "node:fs";
import { openIndex } from "../../../lib/node/retrieval/open-index.ts";
import { toFloat32 } from "../../../lib/tensor/dtype.ts";
import { fixture } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const theirs = fixture("retrieval/clip-retrieval");

describe("openIndex", () => {
  const folder = temporaryFolder();

  it("opens a folder of clip-retrieval as it is: rows, metadata, columns", async () => {
    const index = await openIndex(theirs);
    try {
      assert.deepEqual([index.rows, index.width, index.partitions.length, index.isOwn], [33, 8, 11, false]);
      const values = toFloat32("F16", readFileSync(`${theirs}/img_emb/img_emb_10.npy`).subarray(128));
      assert.deepEqual(
        await index.readRows([32, 30]),
        Float32Array.of(...values.slice(16), ...values.slice(0, 8)),
      );
      assert.deepEqual(index.columns, [
        { name: "image_path", type: "text" },
        { name: "caption", type: "text" },
        { name: "width", type: "integer" },
        { name: "punsafe", type: "number" },
        { name: "ok", type: "boolean" },
        { name: "date", type: "text" },
      ]);
      assert.deepEqual(await index.readMetadata([32, 3]), [
        {
          image_path: "image 32",
          caption: "写真 2",
          width: 514,
          punsafe: 1,
          ok: false,
          date: "2022-08-01T00:00:00.000Z",
        },
        {
          image_path: "image 3",
          caption: "写真 0",
          width: 512,
          punsafe: 0,
          ok: true,
          date: "2022-08-01T00:00:00.000Z",
        },
      ]);
      const caption = await index.readColumn("caption");
      assert.ok(caption.type === "text");
      assert.deepEqual(caption.dictionary, ["写真 0", "写真 2"]);
      assert.deepEqual([...caption.codes.slice(30)], [0, 0xffffffff, 1]);
      const punsafe = await index.readColumn("punsafe");
      assert.deepEqual(punsafe.type === "number" && [...punsafe.values.slice(30)], [0, 0.5, 1]);
      await assert.rejects(index.readColumn("NSFW"), { name: "InputError", message: /^no column "NSFW"/ });
      await assert.rejects(index.readRows([33]), { message: /from 0 to 32, found 33/ });
      await assert.rejects(index.readRows([0], "text"), { message: /has no vectors of texts$/ });
    } finally {
      await index.close();
    }
  });

  for (const [what, change, message] of [
    [
      "a partition without its metadata",
      (at: string) => {
        rmSync(`${at}/metadata/metadata_04.parquet`);
      },
      /img_emb_04\.npy: expected a partition of this number in each of/,
    ],
    [
      "vectors that are cut short",
      (at: string) => {
        truncateSync(`${at}/img_emb/img_emb_03.npy`, 170);
      },
      /img_emb_03\.npy: expected 176 bytes for 3 rows of 8 numbers, found 170/,
    ],
    [
      "a file that is no matrix",
      (at: string) => {
        writeFileSync(`${at}/img_emb/img_emb_03.npy`, "nothing at all");
      },
      /img_emb_03\.npy: expected a NumPy file/,
    ],
    [
      "a folder without vectors",
      (at: string) => {
        renameSync(`${at}/img_emb`, `${at}/other`);
      },
      /expected an index folder \(index\.json\), or clip-retrieval's layout/,
    ],
  ] as const) {
    it(`refuses ${what}`, async () => {
      const at = folder.file("copy");
      cpSync(theirs, at, { recursive: true });
      change(at);
      await assert.rejects(openIndex(at), { name: "InputError", message });
    });
  }

  it("refuses damaged metadata when they are read", async () => {
    const at = folder.file("copy");
    cpSync(theirs, at, { recursive: true });
    truncateSync(`${at}/metadata/metadata_00.parquet`, 100);
    await assert.rejects(openIndex(at), {
      name: "InputError",
      message: /metadata_00.*not a readable parquet file/,
    });
  });
});
