import assert from "node:assert/strict";
import { open, type FileHandle } from "node:fs/promises";
import { InputError } from "../../../lib/errors/input-error.ts";
import { writeAndCompare } from "../../../tools/convert/write-weights.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("writeAndCompare", () => {
  const folder = temporaryFolder();
  let file: FileHandle;

  beforeEach(async () => {
    file = await open(folder.file("weights"), "wx+");
  });

  afterEach(() => file.close());

  it("accepts what the file holds", async () => {
    await writeAndCompare(file, Uint8Array.of(1, 2, 3), 5, "here");
    await writeAndCompare(file, Uint8Array.of(4), 0, "here");
    assert.deepEqual([...(await file.readFile())].slice(0, 1), [4]);
  });

  it("refuses a file that changes a bit, or loses the last byte", async () => {
    const changing: Pick<FileHandle, "write" | "read"> = {
      write: file.write.bind(file),
      read: async (...args: [Uint8Array, number, number, number]) => {
        const result = await file.read(...args);
        args[0][2]! ^= 4;
        return result;
      },
    } as Pick<FileHandle, "write" | "read">;
    await assert.rejects(writeAndCompare(changing, Uint8Array.of(1, 2, 3), 0, "x: the tensor y"), {
      name: "InputError",
      message: "x: the tensor y differs from what was written; check the disk",
    });
    const losing = {
      write: async (bytes: Uint8Array, at: number, length: number, position: number) => {
        const written = await file.write(bytes, at, length, position);
        await file.truncate(position + length - 1);
        return written;
      },
      read: file.read.bind(file),
    } as unknown as Pick<FileHandle, "write" | "read">;
    await assert.rejects(writeAndCompare(losing, Uint8Array.of(1, 2, 3), 9, "x"), InputError);
  });
});
