import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { clipscope } from "../../../support/cli.ts";
import { temporaryFolder } from "../../../support/temporary.ts";
import { normalised, randomNumbers, writeVectorIndex } from "../../../support/vector-index.ts";

const width = 8;

describe("clipscope index dedup", () => {
  const folder = temporaryFolder();
  let index: string;

  /** Rows 2, 5 and 7 are alike, and rows 3 and 9. */
  beforeEach(async () => {
    index = folder.file("index");
    rmSync(index, { recursive: true, force: true });
    const { normal } = randomNumbers(1);
    const values = Float32Array.from({ length: 12 * width }, normal);
    for (const [row, from] of [
      [5, 2],
      [7, 2],
      [9, 3],
    ] as const) {
      values.copyWithin(row * width, from * width, (from + 1) * width);
      values[row * width]! += 0.01 * row;
    }
    await writeVectorIndex(index, normalised(values, width), width, 5);
  });

  async function printed(...args: string[]): Promise<string> {
    const { status, stdout, stderr } = await clipscope(args);
    assert.equal(status, 0, stderr);
    return stdout;
  }

  it("lists the groups and deletes nothing", async () => {
    const lines = (await printed("index", "dedup", index, "--threshold", "0.99")).split("\n");
    assert.deepEqual(
      lines.slice(0, 5).map((line) => line.trim().split(/\s+/).at(-1)),
      ["2.jpg", "5.jpg", "7.jpg", "3.jpg", "9.jpg"],
    );
    assert.match(
      lines[5]!,
      /12 rows compared, 2 groups, 3 rows besides the best of each; similarity to it: /,
    );
    assert.equal(lines[6], "nothing was removed; --remove does it");
    const json = JSON.parse(await printed("index", "dedup", index, "--threshold", "0.99", "--json")) as {
      groups: { id: number; keep: boolean; similarity: number }[][];
      removed: number;
    };
    assert.equal(json.removed, 0);
    assert.deepEqual(
      json.groups.map((group) => group.map(({ id, keep }) => (keep ? id : -id))),
      [
        [2, -5, -7],
        [3, -9],
      ],
    );
    assert.match(await printed("index", "status", index), /^12 rows of 8 numbers, 0 deleted/);
  });

  it("keeps the row with the greatest number of a column; writes files and columns", async () => {
    const [csv, list] = [folder.file("groups.csv"), folder.file("others.txt")];
    const args = ["--threshold", "0.99", "--best", "bytes", "--as", "same", "--out", csv, "--out", list];
    await printed("index", "dedup", index, ...args);
    assert.deepEqual(readFileSync(list, "utf8").split("\n"), ["5.jpg", "2.jpg", "3.jpg", ""]);
    const rows = readFileSync(csv, "utf8")
      .split("\r\n")
      .map((line) => line.split(","));
    assert.deepEqual(rows[0], ["id", "path", "similarity", "group", "keep", "image_path", "bytes"]);
    assert.deepEqual(
      rows.slice(1, -1).map(([id, , , group, keep]) => [id, group, keep]),
      [
        ["7", "1", "true"],
        ["5", "1", "false"],
        ["2", "1", "false"],
        ["9", "2", "true"],
        ["3", "2", "false"],
      ],
    );
    const query = async (where: string): Promise<number[]> =>
      (
        JSON.parse(await printed("query", index, "--id", "2", "--where", where, "--top", "20", "--json")) as {
          id: number;
        }[]
      )
        .map(({ id }) => id)
        .sort((a, b) => a - b);
    assert.deepEqual(await query("same IS NOT NULL"), [2, 3, 5, 7, 9]);
    assert.deepEqual(await query("NOT same.keep"), [2, 3, 5]);
    assert.deepEqual(await query("same = 2"), [3, 9]);
  });

  it("--remove deletes all but the best, and finds nothing the next time", async () => {
    const lines = await printed("index", "dedup", index, "--threshold", "0.99", "--remove");
    assert.match(lines, /\n3 rows removed\n$/);
    assert.match(await printed("index", "status", index), /^9 rows of 8 numbers, 3 deleted/);
    assert.equal(
      await printed("index", "dedup", index, "--threshold", "0.99"),
      `${index}: 9 rows compared, 0 groups, 0 rows besides the best of each\n`,
    );
  });

  it("--remove deletes nothing if a list cannot be written", async () => {
    const list = join(folder.file("missing"), "others.txt");
    const args = ["index", "dedup", index, "--threshold", "0.99", "--remove", "--out", list];
    assert.equal((await clipscope(args)).status, 2);
    assert.match(await printed("index", "status", index), /^12 rows of 8 numbers, 0 deleted/);
  });

  it("--remove keeps the columns of an earlier run that has deleted its groups", async () => {
    const args = ["index", "dedup", index, "--threshold", "0.99", "--as", "same", "--remove"];
    const columns = (): string[] =>
      readdirSync(join(index, "columns"), { recursive: true, encoding: "utf8" }).sort();
    assert.match(await printed(...args), /written\n3 rows removed\n$/);
    const before = columns();
    assert.match(await printed(...args), /0 groups.*\n.*kept as they were\n0 rows removed\n$/);
    assert.deepEqual(columns(), before);
  });

  it("refuses thresholds and columns that do not fit", async () => {
    for (const [args, message] of [
      [["--threshold", "1.5"], /expected a similarity above 0, at most 1, found 1\.5/],
      [["--best", "image_path"], /expected a column of numbers, found image_path \(text\)/],
      [["--best", "size"], /no column "size"/],
      [["--where", "size > 1"], /expected a column of/],
      [["--out", "x.doc"], /expected a name that ends in/],
      [["--in", "captions"], /has no vectors of texts/],
    ] as const) {
      const { status, stderr } = await clipscope(["index", "dedup", index, ...args]);
      assert.equal(status, 2);
      assert.match(stderr, message);
    }
  });
});
