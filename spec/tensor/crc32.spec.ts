import { strict as assert } from "node:assert";
import fc from "fast-check";
import { crc32 as hostCrc32 } from "../../lib/node/files/crc32.ts";
import { crc32 } from "../../lib/tensor/crc32.ts";

describe("crc32", () => {
  it("of 123456789 is the check value of CRC-32/ISO-HDLC", () => {
    const bytes = new TextEncoder().encode("123456789");
    assert.equal(crc32(bytes), 0xcbf43926);
    assert.equal(hostCrc32(bytes), 0xcbf43926);
  });

  it("of any bytes, in any two pieces, is the host's", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.nat(100), (bytes, at) => {
        const expected = hostCrc32(bytes);
        assert.equal(crc32(bytes), expected);
        assert.equal(crc32(bytes.subarray(at), crc32(bytes.subarray(0, at))), expected);
      }),
    );
  });
});
