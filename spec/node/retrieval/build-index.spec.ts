import assert from "node:assert/strict";
import { cpSync, readFileSync, rmSync, truncateSync, utimesSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { openIndex, type OpenedIndex } from "../../../lib/node/retrieval/open-index.ts";
import { embedImages } from "../../../lib/node/images/embed-images.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { demoModel } from "../../../lib/node/models/model-directory.ts";
import { clipscope, type Result } from "../../support/cli.ts";
import { contentOf, imageFolder, imageShard, sampleNames } from "../../support/index-folder.ts";
import { fixture } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("clipscope index build", () => {
  const folder = temporaryFolder();

  async function build(...args: string[]): Promise<Result> {
    return clipscope(["index", "build", ...args]);
  }

  async function withIndex(path: string, check: (index: OpenedIndex) => Promise<void>): Promise<void> {
    const index = await openIndex(path);
    try {
      await check(index);
    } finally {
      await index.close();
    }
  }

  async function rowsOf(path: string): Promise<number> {
    const index = await openIndex(path);
    await index.close();
    return index.rows;
  }

  it("stores what embedImages gives, rounded to float16, with the metadata of each image", async () => {
    const photos = imageFolder(folder.file("photos"));
    const out = folder.file("index");
    const { status, stdout } = await build(photos, "--out", out, "--partition-rows", "3");
    assert.deepEqual([status, stdout], [0, `${out}: 3 partitions built, 8 rows\n`]);
    const model = await loadModel();
    const paths = sampleNames.map((name) => join(photos, name));
    const expected: number[] = [];
    for await (const { features } of embedImages(model, paths, { normalize: true })) {
      expected.push(...(await features.data<"float32">()));
      features.dispose();
    }
    await model.dispose();
    await withIndex(out, async (index) => {
      assert.deepEqual([index.rows, index.width, index.partitions.length], [8, 96, 3]);
      const ids = paths.map((_, id) => id);
      const stored = await index.readRows(ids);
      // Half a unit in the last of float16's 11 bits.
      for (const [i, value] of stored.entries()) assert.ok(Math.abs(value - expected[i]!) <= 2 ** -12);
      const rows = await index.readMetadata(ids);
      assert.deepEqual(
        rows.map((row) => row["image_path"]),
        paths,
      );
    });
  });

  it("reads shards with captions and documents; captions have vectors too", async () => {
    const shards = [0, 1, 2].map((i) => imageShard(folder.file(`0000${i}.tar`), 4 * i, 4));
    const out = folder.file("index");
    const { status } = await build(
      folder.file("{00000..00002}.tar"),
      "--out",
      out,
      "--captions",
      "--partition-rows",
      "8",
    );
    assert.equal(status, 0);
    await withIndex(out, async (index) => {
      assert.deepEqual(
        index.partitions.map(({ rows }) => rows),
        [8, 4],
      );
      const [row] = await index.readMetadata([9]);
      const { offset, bytes, mtime, ...others } = row!;
      assert.deepEqual(others, {
        image_path: `${shards[2]}:000000009.jpg`,
        caption: "four green crescents",
        url: "http://x/9",
        key: "000000009",
        source: shards[2],
        width: 9,
        NSFW: "UNLIKELY",
        rest: null,
      });
      assert.ok(Number(mtime) > 0);
      // The image is in the shard where the row says.
      const image = readFileSync(shards[2]!).subarray(Number(offset), Number(offset) + Number(bytes));
      assert.deepEqual(image.subarray(0, 3), Buffer.from([0xff, 0xd8, 0xff]));
      const model = await loadModel();
      const text = await model.encodeText(["four green crescents"], { normalize: true });
      const expected = await text.data<"float32">();
      const stored = await index.readRows([9], "text");
      await model.dispose();
      for (const [i, value] of stored.entries()) assert.ok(Math.abs(value - expected[i]!) <= 2 ** -12 + 1e-5);
      const column = await index.readColumn("NSFW");
      assert.deepEqual(column.type === "text" && column.dictionary, ["UNLIKELY"]);
    });
  });

  it("records images that cannot be read", async () => {
    const photos = imageFolder(folder.file("photos"), sampleNames.slice(0, 2));
    writeFileSync(join(photos, "bad.png"), "not an image");
    const out = folder.file("index");
    const { status, stderr } = await build(photos, "--out", out);
    assert.equal(status, 0);
    assert.match(stderr, /^clipscope: .*bad\.png: expected an image .*\n$/);
    const failed = readFileSync(folder.file("index", "failed", "000000.parquet"), "latin1");
    assert.ok(failed.includes("bad.png"));
    assert.equal(await rowsOf(out), 2);
  });

  it("ends with 2 if no image is readable", async () => {
    writeFileSync(folder.file("bad.png"), "not an image");
    const { status, stderr } = await build(folder.file("bad.png"), "--out", folder.file("index"));
    assert.equal(status, 2);
    assert.match(stderr, /none of the 1 images could be read\n$/);
  });

  describe("with a plan of three partitions", () => {
    let out: string;
    beforeEach(async () => {
      out = folder.file("index");
      const photos = imageFolder(folder.file("photos"));
      const { status } = await clipscope(["index", "plan", photos, "--out", out, "--partition-rows", "3"]);
      assert.equal(status, 0);
    });

    it("tasks build the bytes that one run builds, in any order, also twice", async () => {
      for (const task of ["1", "0", "1"]) {
        const { status } = await build("--out", out, "--task", task, "--of", "2");
        assert.equal(status, 0);
      }
      const whole = folder.file("whole");
      await build(folder.file("photos"), "--out", whole, "--partition-rows", "3");
      // Their plans are the same, since the sources are.
      assert.deepEqual(contentOf(out), contentOf(whole));
    });

    it("--task auto takes the scheduler's number; --steal does the rest", async () => {
      const env = { SLURM_ARRAY_TASK_ID: "5", SLURM_ARRAY_TASK_MIN: "4", SLURM_ARRAY_TASK_MAX: "5" };
      const first = await clipscope(["index", "build", "--out", out, "--task", "auto"], { env });
      assert.match(first.stdout, /1 partition built, 3 rows, 2 left to other tasks\n$/);
      const args = ["index", "build", "--out", out, "--task", "auto", "--steal"];
      const second = await clipscope(args, { env });
      assert.match(second.stdout, /2 partitions built, 5 rows, 1 built before\n$/);
    });

    it("ids are settled up to the first partition that is missing", async () => {
      await build("--out", out, "--task", "2", "--of", "3");
      assert.equal(await rowsOf(out), 0);
      await build("--out", out, "--task", "0", "--of", "3");
      assert.equal(await rowsOf(out), 3);
      await build("--out", out);
      assert.equal(await rowsOf(out), 8);
    });

    it("does a partition again whose file was cut short", async () => {
      await build("--out", out);
      const before = contentOf(out);
      truncateSync(join(out, "img_emb", "img_emb_000001.npy"), 200);
      await assert.rejects(openIndex(out), { name: "InputError", message: /expected \d+ bytes for 3 rows/ });
      const { stdout } = await build("--out", out, "--task", "0", "--of", "1");
      assert.match(stdout, /1 partition built, 3 rows, 2 built before/);
      assert.deepEqual(contentOf(out), before);
    });

    it("refuses a model whose image tower has another fingerprint or width", async () => {
      const demo = folder.file("changed-model");
      cpSync(demoModel, demo, { recursive: true });
      const weights = join(demo, "open_clip_model.safetensors");
      const bytes = readFileSync(weights);
      const header = Number(bytes.readBigUInt64LE(0));
      const json = JSON.parse(bytes.subarray(8, 8 + header).toString()) as Record<
        string,
        { data_offsets: [number, number] }
      >;
      bytes[8 + header + json["visual.ln_post.bias"]!.data_offsets[0]]! ^= 1;
      writeFileSync(weights, bytes);
      const changed = await build("--out", out, "--model", demo);
      assert.match(
        changed.stderr,
        /made with another model than the model in use: expected changed-model \(/,
      );
      const theirs = fixture("retrieval/clip-retrieval");
      const narrow = await clipscope(["index", "add", folder.file("mine"), "--embeddings", theirs]);
      assert.match(narrow.stderr, /expected 3 rows of 96 numbers, as the model in use makes, found 3 of 8/);
      assert.deepEqual([changed.status, narrow.status], [2, 2]);
    });

    it("refuses other sources, and a plan that was changed", async () => {
      const other = await build(folder.path, "--out", out);
      assert.match(other.stderr, /was planned with other sources .*use "clipscope index add" for more/);
      const plan = join(out, "plan.json");
      writeFileSync(plan, readFileSync(plan, "utf8").replace('"batch":8', '"batch":9'));
      const changed = await build("--out", out);
      assert.match(changed.stderr, /plan\.json: was changed since it was made/);
      assert.deepEqual([other.status, changed.status], [2, 2]);
    });
  });

  it("a shard that vanished ends with 75, one that changed with 2", async () => {
    const shard = imageShard(folder.file("0.tar"), 0, 2);
    const out = folder.file("index");
    await clipscope(["index", "plan", shard, "--out", out]);
    utimesSync(shard, 1, 1);
    const changed = await build("--out", out);
    assert.deepEqual([changed.status, /was changed since the plan/.test(changed.stderr)], [2, true]);
    rmSync(shard);
    const gone = await build("--out", out);
    assert.deepEqual([gone.status, /no such file.*was there when/.test(gone.stderr)], [75, true]);
  });
});
