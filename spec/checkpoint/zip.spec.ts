import { strict as assert } from "node:assert";
import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { readZipDirectory } from "../../lib/checkpoint/zip.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { crc32 } from "../../lib/tensor/crc32.ts";
import { MemorySource } from "../support/memory-source.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { writeZip64 } from "../support/torch-zip.ts";
import { zip } from "../support/zip.ts";

const contents = { "a/data.pkl": "pickle", "a/data/0": "0123456789", "a/empty": "", "a/名前": "x" };

/** The contents of all members, each checked against its checksum. */
async function read(bytes: Uint8Array): Promise<Record<string, string>> {
  const members = await readZipDirectory(new MemorySource(bytes, "a.pt"));
  return Object.fromEntries(
    [...members].map(([name, member]) => {
      assert.ok(member !== null, name);
      const content = bytes.subarray(member.offset, member.offset + member.size);
      assert.equal(crc32(content), member.crc32, name);
      return [name, new TextDecoder().decode(content)];
    }),
  );
}

function assertRefused(bytes: Uint8Array, message: RegExp): Promise<void> {
  return assert.rejects(readZipDirectory(new MemorySource(bytes, "a.pt")), (error: unknown) => {
    assert.ok(error instanceof InputError, String(error));
    assert.match(error.message, /^a\.pt: a damaged zip file: .*; download it again$/);
    assert.match(error.message, message);
    return true;
  });
}

/** The archive with one field of its first directory entry changed. */
function withField(offset: number, value: number, bytes: 2 | 4): Buffer {
  const archive = zip(contents);
  const entry = archive.indexOf("PK\x01\x02", 0, "latin1");
  archive.writeUIntLE(value, entry + offset, bytes);
  return archive;
}

describe("readZipDirectory", () => {
  const folder = temporaryFolder();

  it("finds every member's bytes", async () => {
    assert.deepEqual(await read(zip(contents)), contents);
    assert.deepEqual(await read(zip({})), {});
  });

  it("reads zip64 archives", async () => {
    const path = folder.file("a.pt");
    const members = Object.entries(contents).map(([name, text]) => {
      const bytes = new TextEncoder().encode(text);
      return { name, size: bytes.length, pieces: () => [bytes] };
    });
    await writeZip64(path, members);
    assert.deepEqual(await read(await readFile(path)), contents);
  });

  it("finds the directory in front of a comment, even one that looks like an archive's end", async () => {
    const comment = Buffer.from(`PK\x05\x06${"\0".repeat(18)}`, "latin1");
    const archive = Buffer.concat([zip(contents), comment]);
    archive.writeUInt16LE(comment.length, archive.length - comment.length - 2);
    // Both records fit their comments: the last one counts, and it has no members.
    assert.deepEqual(await read(archive), {});
    archive.fill(0xff, archive.length - 4);
    assert.deepEqual(await read(archive), contents);
  });

  it("gives null for compressed and encrypted members", async () => {
    for (const archive of [withField(10, 8, 2), withField(8, 1, 2)]) {
      const members = await readZipDirectory(new MemorySource(archive));
      assert.equal(members.get("a/data.pkl"), null);
      assert.equal(members.get("a/data/0")?.size, 10);
    }
  });

  it("reads the headers of small members in few reads", async () => {
    const many = Object.fromEntries(Array.from({ length: 500 }, (_, i) => [`a/data/${i}`, "x"]));
    const source = new MemorySource(zip(many));
    assert.equal((await readZipDirectory(source)).size, 500);
    assert.ok(source.reads.length < 10, `${source.reads.length} reads`);
  });

  it("refuses a file that is not an archive", async () => {
    await assertRefused(new Uint8Array(), /no directory at its end/);
    await assertRefused(new Uint8Array(100_000), /no directory at its end/);
    const archive = zip(contents);
    await assertRefused(archive.subarray(0, -1), /no directory at its end/);
    await assertRefused(archive.subarray(1), /its directory ends at byte/);
  });

  it("refuses a directory with a wrong field", async () => {
    const end = zip(contents).length - 22;
    const withEnd = (offset: number, value: number, bytes: 2 | 4): Buffer => {
      const archive = zip(contents);
      archive.writeUIntLE(value, end + offset, bytes);
      return archive;
    };
    await assertRefused(withEnd(10, 5, 2), /no entry at byte/);
    await assertRefused(withEnd(12, 0xfffffff, 4), /a directory of 268435455 bytes/);
    await assertRefused(withEnd(16, 0xfffff, 4), /its directory ends at byte/);
    await assertRefused(withField(28, 0xffff, 2), /is cut short/);
    await assertRefused(withField(20, 0xffff, 4), /ends at byte/);
    await assertRefused(withField(24, 7, 4), /is stored with 6 bytes, expected 7/);
    await assertRefused(withField(42, 1, 4), /no header of "a\/data\.pkl"/);
    await assertRefused(withField(42, 0xfffffffe, 4), /the header of "a\/data\.pkl" is at byte/);
  });

  it("refuses names that lead outside", async () => {
    for (const name of ["../x", "a/../../x", "/x", "\\x", "C:x", "a\\..\\x"]) {
      await assertRefused(zip({ [name]: "" }), /leads outside the archive/);
    }
    assert.deepEqual(await read(zip({ "a..b/..c": "x" })), { "a..b/..c": "x" });
  });

  it("refuses more members than a checkpoint has", async () => {
    const path = folder.file("a.pt");
    await writeZip64(path, []);
    const archive = await readFile(path);
    archive.writeBigUInt64LE(100_001n, 32);
    await assertRefused(archive, /100001 members/);
    archive.writeBigUInt64LE(2n ** 60n, 32);
    await assertRefused(archive, /members/);
    archive.writeBigUInt64LE(2n ** 60n, 64);
    await assertRefused(archive, /its end record is at byte/);
  });

  it("gives members inside the file or an InputError, whatever bytes are changed", async () => {
    const whole = zip(contents);
    const change = fc.tuple(fc.nat(whole.length - 1), fc.nat(255));
    await fc.assert(
      fc.asyncProperty(fc.array(change, { minLength: 1, maxLength: 4 }), async (changes) => {
        const archive = Buffer.from(whole);
        for (const [at, value] of changes) archive[at] = value;
        try {
          const members = await readZipDirectory(new MemorySource(archive));
          for (const member of members.values()) {
            assert.ok(member === null || member.offset + member.size <= archive.length);
          }
        } catch (error) {
          assert.ok(error instanceof InputError, String(error));
        }
      }),
      { numRuns: 2000 },
    );
  });
});
