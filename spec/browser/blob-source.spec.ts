import assert from "node:assert/strict";
import { BlobSource } from "../../lib/browser/blob-source.ts";
import { BytesSource } from "../../lib/tensor/bytes-source.ts";

const bytes = Uint8Array.of(1, 2, 3, 4, 5);

for (const source of [new BlobSource("a.bin", new Blob([bytes])), new BytesSource("a.bin", bytes)]) {
  describe(source.constructor.name, () => {
    it("reads ranges of a file", async () => {
      assert.equal(source.size, 5);
      assert.deepEqual([...(await source.read(1, 3))], [2, 3, 4]);
    });

    it("refuses a range beyond the end", async () => {
      await assert.rejects(source.read(3, 3), /a\.bin: cut short: expected 6 bytes, found 5/);
    });
  });
}
