import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { readdir, readFile, truncate, writeFile } from "node:fs/promises";
import { resume } from "../../lib/features/journal.ts";
import type { JsonValue } from "../../lib/json/json-value.ts";
import { nodeFileSystem } from "../../lib/node/files/file-system.ts";
import { temporaryFolder } from "../support/temporary.ts";

/** A piece of `count`, which follows the number before. */
function numbered(value: JsonValue, previous: { readonly number: number } | null): { number: number } {
  return { number: value.at("number").integer((previous?.number ?? 0) + 1) };
}

describe("resume", () => {
  const folder = temporaryFolder();
  let path: string;
  beforeEach(() => {
    path = folder.file("work.journal");
  });

  /** Counts up to 3, one number per piece; fails before the number `failAt`. */
  async function count(key: string, failAt?: number): Promise<{ done: number[]; result: number[] }> {
    const pieces: number[] = [];
    const done: number[] = [];
    const result = await resume<{ number: number }, number[]>(
      nodeFileSystem,
      path,
      { key },
      {
        readPiece: numbered,
        onPiece: ({ number }) => pieces.push(number),
        remaining: async function* () {
          for (let next = pieces.length + 1; next <= 3; next++) {
            if (next === failAt) throw new Error(`failed at ${next}`);
            done.push(next);
            yield await Promise.resolve({ number: next });
          }
        },
        finish: async (all) => {
          const read: number[] = [];
          for await (const { number } of all()) read.push(number);
          return read;
        },
      },
    );
    return { done, result };
  }

  it("does all pieces and deletes the journal", async () => {
    assert.deepEqual(await count("a"), { done: [1, 2, 3], result: [1, 2, 3] });
    assert.ok(!existsSync(path));
  });

  it("continues after an error, and after an incomplete or damaged line", async () => {
    await assert.rejects(count("a", 3), /failed at 3/);
    const whole = await readFile(path, "utf8");
    // CRC-32 of {"number":1} and {"number":2}, as zlib computes it
    assert.equal(
      whole,
      '{"journal":"clipscope journal 2","key":"a"}\nc225affa {"number":1}\ne908fc39 {"number":2}\n',
    );
    for (const [damaged, expected] of [
      [`${whole}c225affa {"number":`, [3]],
      [whole.slice(0, -1), [2, 3]],
      [whole.replace('"number":2', '"number":7'), [2, 3]],
      [whole.replace('"number":1', '"number":7'), [1, 2, 3]],
      [`${whole}\0\0\0\0\n`, [3]],
    ] as const) {
      await writeFile(path, damaged);
      assert.deepEqual(await count("a"), { done: expected, result: [1, 2, 3] });
    }
  });

  it("leaves no journal without pieces, and replaces one that has another key", async () => {
    await assert.rejects(count("a", 1), /failed at 1/);
    assert.ok(!existsSync(path));
    await writeFile(path, '{"journal":"clipscope journal 2","key":"b"}\n');
    assert.deepEqual((await count("a")).done, [1, 2, 3]);
  });

  it("rejects the journal of other work, and leaves it unchanged", async () => {
    await assert.rejects(count("a", 2), /failed at 2/);
    const before = await readFile(path, "utf8");
    await assert.rejects(count("b"), /holds unfinished work with other settings \(key: a, now b\)/);
    assert.equal(await readFile(path, "utf8"), before);
  });

  it("rejects pieces that are not of this work, and leaves the file unchanged", async () => {
    await assert.rejects(count("a", 3), /failed at 3/);
    const [title, one, two] = (await readFile(path, "utf8")).split("\n");
    // CRC-32 of {"number":"2"}, as zlib computes it
    const other = '598f1eb9 {"number":"2"}';
    for (const [lines, message] of [
      [
        [one, other],
        /work\.journal: piece 2: expected number to be a whole number of at least 2, found "2"; delete/,
      ],
      [[one, one], /piece 2: expected number to be a whole number of at least 2, found 1/],
      [[two, one, "damaged"], /piece 2: expected number to be a whole number of at least 3, found 1/],
    ] as const) {
      const text = [title, ...lines, ""].join("\n");
      await writeFile(path, text);
      await assert.rejects(count("a"), message);
      assert.equal(await readFile(path, "utf8"), text);
    }
  });

  for (const [what, text] of [
    ["lines", "first line\nsecond line without an end"],
    ["text without a line break", "my notes"],
    ["one line of JSON", '{"key":"a"}\n'],
    ["JSON of another kind", '["clipscope journal 2"]\n'],
  ] as const) {
    it(`rejects a file that is not a journal, and leaves it unchanged: ${what}`, async () => {
      await writeFile(path, text);
      await assert.rejects(
        count("a"),
        /work\.journal: expected a journal of unfinished work .*, found another kind of file; move it away/,
      );
      assert.equal(await readFile(path, "utf8"), text);
      assert.deepEqual(await readdir(folder.path), ["work.journal"]);
    });
  }

  it("refuses a journal that another run uses", async () => {
    const pieces: number[] = [];
    await resume<{ number: number }, null>(
      nodeFileSystem,
      path,
      { key: "a" },
      {
        readPiece: numbered,
        onPiece: ({ number }) => pieces.push(number),
        remaining: async function* () {
          await assert.rejects(count("a"), /work\.journal: in use by this process; wait until it ends/);
          yield { number: 1 };
        },
        finish: () => Promise.resolve(null),
      },
    );
    assert.deepEqual(pieces, [1]);
    assert.deepEqual(await readdir(folder.path), []);
  });

  it("notices a journal that changes before its pieces are read again", async () => {
    const work = resume<{ number: number }, number>(
      nodeFileSystem,
      path,
      { key: "a" },
      {
        readPiece: numbered,
        onPiece: () => undefined,
        remaining: async function* () {
          for (const number of [1, 2, 3]) yield await Promise.resolve({ number });
        },
        finish: async (all) => {
          await truncate(path, 60);
          let count = 0;
          for await (const { number } of all()) count += Math.sign(number);
          return count;
        },
      },
    );
    await assert.rejects(work, /expected 3 finished pieces, found 0: another program changed the file/);
  });
});
