import assert from "node:assert/strict";
import { copyFileSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { clipscope } from "../../../support/cli.ts";
import { imageFolder, sampleNames } from "../../../support/index-folder.ts";
import { temporaryFolder } from "../../../support/temporary.ts";

describe("clipscope index score", () => {
  const folder = temporaryFolder();
  let index: string;
  let photos: string;

  beforeEach(async () => {
    photos = imageFolder(folder.file("photos"));
    index = folder.file("index");
    const built = await clipscope(["index", "build", photos, "--out", index, "--partition-rows", "3"]);
    assert.equal(built.status, 0, built.stderr);
  });

  async function printed(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await clipscope(args);
    assert.equal(status, 0, stderr);
    return stdout;
  }

  it("writes the probabilities that classify prints", async () => {
    const labels = ["--labels", "star,circle,square", "--template", "a {}"];
    const text = await printed("index", "score", index, "--as", "shape", ...labels);
    assert.equal(text, `${index}: shape, shape.star, shape.circle, shape.square: 8 rows\n`);
    const rows = JSON.parse(await printed("query", index, "a", "--top", "8", "--json")) as {
      path: string;
      shape: string;
      [column: string]: unknown;
    }[];
    const expected = JSON.parse(await printed("classify", photos, ...labels, "--json")) as {
      path: string;
      scores: { label: string; probability: number }[];
    }[];
    assert.equal(rows.length, 8);
    for (const { path, scores } of expected) {
      const row = rows.find((found) => found.path === path)!;
      assert.equal(row.shape, scores[0]!.label);
      // The stored vectors are rounded to float16, and logits are up to 100 times a similarity.
      for (const { label, probability } of scores)
        assert.ok(Math.abs(Number(row[`shape.${label}`]) - probability) < 0.01, `${path}: ${label}`);
    }
  });

  it("continues, lists, verifies and drops columns", async () => {
    await printed("index", "score", index, "brown stars", "--as", "stars");
    const again = await printed("index", "score", index, "brown stars", "--as", "stars");
    assert.equal(again, `${index}: stars: 8 rows, 3 partitions computed before\n`);
    copyFileSync(join(photos, sampleNames[6]!), join(photos, "zz-later.png"));
    await printed("index", "add", index, photos);
    // Rows that came later have no value yet.
    const later = await printed("query", index, "star", "--where", "stars IS NULL");
    assert.match(later, /^ 0\.\d+ {2}.*zz-later\.png\n$/);
    const more = await printed("index", "score", index, "brown stars", "--as", "stars");
    assert.equal(more, `${index}: stars: 9 rows, 3 partitions computed before\n`);
    assert.match(
      await printed("index", "status", index),
      /^column stars: similarity to "brown stars", 9 rows$/m,
    );
    const { columnSets } = JSON.parse(await printed("index", "status", index, "--json")) as {
      columnSets: { name: string; rows: number }[];
    };
    assert.ok(columnSets.some(({ name, rows }) => name === "stars" && rows === 9));
    const sets = (
      JSON.parse(readFileSync(join(index, "index.json"), "utf8")) as {
        column_sets: { name: string; folder: string }[];
      }
    ).column_sets;
    const file = join(
      index,
      sets.find(({ name }) => name === "stars")!.folder,
      "metadata/metadata_000001.parquet",
    );
    const content = readFileSync(file);
    writeFileSync(file, "damaged");
    const damaged = await clipscope(["index", "verify", index]);
    assert.equal(damaged.status, 1);
    assert.match(damaged.stdout, /columns\/stars-.*metadata_000001\.parquet: expected \d+ bytes, found 7/);
    writeFileSync(file, content);
    await printed("index", "verify", index);
    assert.equal(await printed("index", "score", index, "--drop", "stars"), `${index}: stars dropped\n`);
    const unknown = await clipscope(["query", index, "red", "--where", "stars > 0"]);
    assert.deepEqual([unknown.status, /expected a column/.test(unknown.stderr)], [2, true]);
    const twice = await clipscope(["index", "score", index, "--drop", "stars"]);
    assert.match(twice.stderr, /--drop stars: .*has no such columns/);
  });

  it("refuses none and several kinds of scores", async () => {
    for (const [args, message] of [
      [["--as", "a"], /expected one of: texts/],
      [["red", "--as", "a", "--labels", "x,y"], /expected one of: texts/],
      [["red"], /--as is missing/],
      [["red", "--as", "a", "--only-best"], /--only-best requires/],
      [["red", "--as", "a", "--template", "a {}"], /--template requires --labels/],
      [["--as", "a", "--labels", "x,x"], /given twice/],
      [["--as", "a", "--probe", join(folder.file("none"), "p")], /no such file/],
    ] as const) {
      const { status, stderr } = await clipscope(["index", "score", index, ...args]);
      assert.equal(status, 2);
      assert.match(stderr, message);
    }
  });
});
