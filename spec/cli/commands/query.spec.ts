import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openIndex } from "../../../lib/node/retrieval/open-index.ts";
import { readParquetFile } from "../../../lib/node/retrieval/parquet-file.ts";
import { demoModel } from "../../../lib/node/models/model-directory.ts";
import { clipscope } from "../../support/cli.ts";
import { imageFolder, sampleNames } from "../../support/index-folder.ts";
import { fixture } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

interface Row {
  readonly id: number;
  readonly path: string;
  readonly similarity: number;
}

describe("clipscope query", () => {
  const folder = temporaryFolder();
  let photos: string;
  let index: string;

  beforeEach(async () => {
    photos = imageFolder(folder.file("photos"));
    index = folder.file("index");
    const built = await clipscope(["index", "build", photos, "--out", index, "--partition-rows", "3"]);
    assert.equal(built.status, 0, built.stderr);
  });

  async function query(...args: string[]): Promise<Row[]> {
    const { status, stdout, stderr } = await clipscope(["query", index, ...args, "--json"]);
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout) as Row[];
  }

  it("finds the image of a text in seven languages, with the similarities of search", async () => {
    for (const [text, image] of [
      ["three brown stars", "three-brown-stars.png"],
      ["ein blaues Kreuz", "blue-cross-at-the-top.jpg"],
      ["deux cercles rouges", "two-red-circles.png"],
      ["quattro quadrati viola", "four-purple-squares.jpg"],
      ["un corazón naranja", "orange-heart.jpg"],
      ["緑の三日月が四つ", "four-green-crescents.jpg"],
      ["一个黄色的小三角形", "small-yellow-triangle.png"],
    ] as const) {
      const found = await query(text);
      assert.equal(found[0]!.path.split("/").at(-1), image, text);
      const search = await clipscope(["search", text, photos, "--json"]);
      const expected = JSON.parse(search.stdout) as { path: string; similarity: number }[];
      assert.deepEqual(
        found.map((row) => row.path),
        expected.map(({ path }) => path),
        text,
      );
      // The index keeps float16.
      for (const [i, { similarity }] of expected.entries())
        assert.ok(Math.abs(found[i]!.similarity - similarity) < 1e-3, text);
    }
  });

  it("adds images and rows, subtracts --minus, and weighs each", async () => {
    const heart = join(photos, "orange-heart.jpg");
    const [first] = await query("--image", heart, "--top", "1");
    assert.equal(first!.path, heart);
    assert.ok(Math.abs(first!.similarity - 1) < 1e-3);
    assert.deepEqual((await query("--id", `${first!.id}`, "--top", "1"))[0]!.id, first!.id);
    const without = await query("--image", heart, "--minus", "an orange heart", "--top", "8");
    assert.ok(without.find(({ id }) => id === first!.id)!.similarity < first!.similarity);
    const weighted = await query("three brown stars", "--image", heart, "--weight", "1", "--weight", "0.01");
    assert.match(weighted[0]!.path, /three-brown-stars/);
    const { status, stderr } = await clipscope(["query", index, "a", "b", "--weight", "1"]);
    assert.deepEqual(
      [status, stderr],
      [2, "clipscope: --weight: expected 2 weights, one for each text, image, id and minus, found 1\n"],
    );
  });

  it("--where and deleted rows leave the others; --min gives all rows from a similarity on", async () => {
    const png = await query("red", "--where", "image_path LIKE '%.png'");
    assert.deepEqual(png.length, sampleNames.filter((name) => name.endsWith(".png")).length);
    const all = await query("red", "--top", "8");
    const from = await query("red", "--min", `${all[4]!.similarity}`);
    assert.deepEqual(from, all.slice(0, 5));
    await clipscope(["index", "remove", index, "--id", `${all[0]!.id}`]);
    assert.deepEqual(await query("red", "--top", "8"), all.slice(1));
  });

  it("writes lists, tables and a contact sheet with the same rows, and copies the images", async () => {
    const names = ["list.txt", "rows.csv", "rows.jsonl", "rows.parquet", "sheet.png"];
    const out = names.map((name) => folder.file(name));
    const copies = folder.file("copies");
    const args = ["a red circle", "--top", "3", ...out.flatMap((file) => ["--out", file]), "--copy", copies];
    const found = await query(...args);
    const text = (at: number): string => readFileSync(out[at]!, "utf8");
    assert.equal(text(0), found.map((row) => `${row.path}\n`).join(""));
    const [header, ...lines] = text(1).trimEnd().split("\r\n");
    assert.match(header!, /^id,path,similarity,/);
    assert.deepEqual(
      lines.map((line) => Number(line.split(",")[0])),
      found.map(({ id }) => id),
    );
    const documents = text(2).trimEnd().split("\n");
    assert.deepEqual(
      documents.map((line) => JSON.parse(line) as Row),
      found,
    );
    const parquet = await readParquetFile(out[3]!);
    assert.equal(parquet.rows, 3);
    assert.deepEqual([...readFileSync(out[4]!).subarray(1, 4)], [0x50, 0x4e, 0x47]);
    assert.equal(readdirSync(copies).length, 3);
  });

  it("marks images that are gone on the contact sheet, and says so for copies", async () => {
    rmSync(join(photos, "two-red-circles.png"));
    const sheet = folder.file("sheet.png");
    assert.equal((await clipscope(["query", index, "red", "--out", sheet])).status, 0);
    assert.ok(existsSync(sheet));
    const copied = await clipscope(["query", index, "red", "--copy", folder.file("copies")]);
    assert.equal(copied.status, 2);
    assert.match(copied.stderr, /two-red-circles\.png/);
    assert.equal(readdirSync(folder.file("copies")).length, sampleNames.length - 1);
  });

  it("writes no file if one of them cannot be written", async () => {
    const list = folder.file("list.txt");
    const missing = join(folder.file("photos"), "two-red-circles.png", "rows.csv");
    const { status } = await clipscope(["query", index, "red", "--out", list, "--out", missing]);
    assert.deepEqual([status, existsSync(list)], [2, false]);
    const { stderr } = await clipscope(["query", index, "red", "--out", "rows.xlsx"]);
    assert.match(stderr, /^clipscope: --out rows\.xlsx: expected a name that ends in \.txt, /);
  });

  it("refuses a model of another width, and a folder that is no index", async () => {
    const theirs = fixture("retrieval/clip-retrieval");
    const { status, stderr } = await clipscope(["query", theirs, "red", "--model", demoModel]);
    assert.equal(status, 2);
    assert.match(
      stderr,
      /expected a model with embeddings of 8 numbers, found \d+; choose it with --model\n$/,
    );
    assert.match((await clipscope(["query", photos, "red"])).stderr, /expected an index folder/);
    assert.match((await clipscope(["query", index])).stderr, /expected a text .*, --image or --id\n$/);
  });

  it("is the library's query", async () => {
    const opened = await openIndex(index);
    const results = opened.query([{ id: 2 }], { top: 2 });
    const ids: number[] = [];
    for await (const { id } of results) ids.push(id);
    await opened.close();
    assert.deepEqual(
      ids,
      (await query("--id", "2", "--top", "2")).map(({ id }) => id),
    );
  });
});
