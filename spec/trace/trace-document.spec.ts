import assert from "node:assert/strict";
import fc from "fast-check";
import { SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import { readFloat32, readIntegers } from "../../lib/tensor/store.ts";
import { MemoryTrace } from "../../lib/trace/memory-trace.ts";
import { TraceDocument } from "../../lib/trace/trace-document.ts";
import { MemorySource } from "../support/memory-source.ts";

const trace = new MemoryTrace();
trace.add("input.text", [1, 3], Float32Array.of(0, 250_001, 2));
trace.add("text", [1, 2, 2], Float32Array.of(1, -2, 3, 0.5));
trace.add(
  "large",
  [1, 300_000],
  Float32Array.from({ length: 300_000 }, (_, i) => i),
);
const document = new TraceDocument(trace, { clipscope: "1.2.3" });

async function read(first: number, last: number): Promise<Uint8Array> {
  const parts: Uint8Array[] = [];
  for await (const part of document.bytes(first, last)) parts.push(part.slice());
  return Buffer.concat(parts);
}

describe("TraceDocument", () => {
  it("is a safetensors file with the trace's values, and token ids as integers", async () => {
    const bytes = await read(0, document.size - 1);
    assert.equal(bytes.length, document.size);
    const file = await SafetensorsFile.open(new MemorySource(bytes));
    assert.deepEqual([...file.tensors.keys()], ["input.text", "text", "large"]);
    assert.equal(file.metadata["clipscope"], "1.2.3");
    assert.deepEqual(await readIntegers(file, "input.text"), [0, 250_001, 2]);
    assert.deepEqual(await readFloat32(file, "text"), await trace.read("text"));
    assert.deepEqual(await readFloat32(file, "large"), await trace.read("large"));
  });

  it("gives any range of the file", async () => {
    const whole = await read(0, document.size - 1);
    const place = fc.oneof(fc.nat(document.size - 1), fc.nat(600));
    await fc.assert(
      fc.asyncProperty(place, place, async (a, b) => {
        const [first, last] = [Math.min(a, b), Math.max(a, b)];
        assert.deepEqual(await read(first, last), whole.subarray(first, last + 1));
      }),
      { numRuns: 60 },
    );
  });
});
