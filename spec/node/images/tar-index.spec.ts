import assert from "node:assert/strict";
import { openSync, closeSync, ftruncateSync, writeSync } from "node:fs";
import { writeFile } from "node:fs/promises";
import { InputError } from "../../../lib/errors/input-error.ts";
import { listTar } from "../../../lib/node/images/tar-index.ts";
import { tarHeader } from "../../support/tar.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const end = Buffer.alloc(1024);

describe("listTar, with hostile headers", () => {
  const folder = temporaryFolder();

  async function refusal(...parts: readonly Uint8Array[]): Promise<string> {
    const path = folder.file("shard.tar");
    await writeFile(path, Buffer.concat(parts));
    try {
      await listTar(path);
    } catch (error) {
      assert.ok(error instanceof InputError, String(error));
      return error.message;
    }
    return "listed";
  }

  it("refuses sizes beyond the file, below zero, and beyond what a number holds", async () => {
    const base256 = (...bytes: number[]): Uint8Array => Uint8Array.from(bytes);
    assert.match(await refusal(tarHeader("a.jpg", 2 ** 33 - 1), end), /cut short/);
    const huge = base256(0x80, 0x7f, ...Array<number>(10).fill(0xff));
    assert.match(await refusal(tarHeader("a.jpg", huge), end), /expected a tar/);
    const negative = base256(...Array<number>(10).fill(0xff), 0xfc, 0);
    assert.match(
      await refusal(tarHeader("a.jpg", 0), tarHeader("b.jpg", negative), end),
      /damaged at byte 512|listed/,
    );
    for (const size of ["Infinity", "1e300"]) {
      const record = ` size=${size}\n`;
      const pax = Buffer.alloc(512);
      pax.write(`${record.length + 2}${record}`);
      const header = tarHeader("pax", record.length + 2, "x");
      assert.match(await refusal(header, pax, tarHeader("a.jpg", 0), end), /damaged at byte 1024|cut short/);
    }
  });

  it("refuses an extended header of gigabytes, in a sparse file, without reading it", async () => {
    const path = folder.file("sparse.tar");
    const size = 2 ** 32;
    const file = openSync(path, "w");
    writeSync(file, tarHeader("pax", size, "x"));
    ftruncateSync(file, size + 4096);
    closeSync(file);
    const before = process.memoryUsage().rss;
    await assert.rejects(listTar(path), {
      name: "InputError",
      message: `${path}: expected headers of at most 1048576 bytes, found 4294967296 at byte 512; write it again`,
    });
    assert.ok(process.memoryUsage().rss - before < 2 ** 26);
  });

  it("skips sparse members of any size", async () => {
    const path = folder.file("sparse.tar");
    const file = openSync(path, "w");
    writeSync(file, tarHeader("zeros", 2 ** 32, "S"));
    ftruncateSync(file, 512 + 2 ** 32);
    writeSync(file, Buffer.concat([tarHeader("a.jpg", 0), end]), 0, 1536, 512 + 2 ** 32);
    closeSync(file);
    assert.deepEqual(
      [...(await listTar(path))].map(({ name }) => name.slice(path.length + 1)),
      ["a.jpg"],
    );
  });

  it("refuses paths of more than 4096 bytes", async () => {
    const name = Buffer.alloc(5120);
    name.fill("x", 0, 5000);
    assert.match(
      await refusal(tarHeader("long", 5000, "L"), name, tarHeader("a.jpg", 0), end),
      /expected paths of at most 4096 bytes/,
    );
  });
});
