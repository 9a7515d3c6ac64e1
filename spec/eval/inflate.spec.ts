import assert from "node:assert/strict";
import { deflateSync, gzipSync } from "node:zlib";
import { inflate } from "../../lib/eval/inflate.ts";

describe("inflate", () => {
  const bytes = Uint8Array.from({ length: 100_000 }, (_, i) => (i * i) % 251);

  it("restores what zlib compressed", async () => {
    assert.deepEqual(await inflate(gzipSync(bytes), "gzip", bytes.length), bytes);
    assert.deepEqual(await inflate(deflateSync(bytes), "deflate", bytes.length), bytes);
  });

  it("stops at the limit, and rejects damaged data", async () => {
    await assert.rejects(inflate(gzipSync(bytes), "gzip", bytes.length - 1), RangeError);
    await assert.rejects(inflate(gzipSync(bytes).subarray(0, 500), "gzip", 1e6));
    await assert.rejects(inflate(bytes, "deflate", 1e6));
  });
});
