import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { appendFile, readFile, writeFile } from "node:fs/promises";
import { resume } from "../../lib/features/journal.ts";
import { nodeFileSystem } from "../../lib/node/files/file-system.ts";
import { temporaryFolder } from "../support/temporary.ts";

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

  it("continues after an error, and after an incomplete line", async () => {
    await assert.rejects(count("a", 3), /failed at 3/);
    assert.equal(await readFile(path, "utf8"), '{"key":"a"}\n{"number":1}\n{"number":2}\n');
    await appendFile(path, '{"number":');
    assert.deepEqual(await count("a"), { done: [3], result: [1, 2, 3] });
  });

  it("leaves no journal without pieces, and replaces one that has another key", async () => {
    await assert.rejects(count("a", 1), /failed at 1/);
    assert.ok(!existsSync(path));
    await writeFile(path, '{"key":"b"}\n');
    assert.deepEqual((await count("a")).done, [1, 2, 3]);
  });

  it("rejects the journal of other work, and leaves it unchanged", async () => {
    await assert.rejects(count("a", 2), /failed at 2/);
    const before = await readFile(path, "utf8");
    await assert.rejects(count("b"), /holds unfinished work with other settings \(key: a, now b\)/);
    assert.equal(await readFile(path, "utf8"), before);
  });

  it("rejects a file that is not a journal, and leaves it unchanged", async () => {
    const text = "first line\nsecond line without an end";
    await writeFile(path, text);
    await assert.rejects(
      count("a"),
      /not valid JSON .*; the file is damaged or not a journal of unfinished work/,
    );
    assert.equal(await readFile(path, "utf8"), text);
  });
});
