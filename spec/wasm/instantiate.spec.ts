import assert from "node:assert/strict";
import { growTo, instantiate } from "../../lib/wasm/instantiate.ts";
import { base64 } from "../../lib/wasm/modules/preprocess.ts";

describe("instantiate", () => {
  it("starts a module", () => {
    const kernels = instantiate<"lookUp">(base64);
    assert.equal(typeof kernels?.lookUp, "function");
  });

  it("gives undefined for a module with instructions that the host lacks", () => {
    const bytes = Buffer.from(base64, "base64");
    const simdPrefix = bytes.indexOf(0xfd);
    bytes[simdPrefix] = 0xff; // not an instruction
    assert.equal(instantiate(bytes.toString("base64")), undefined);
  });
});

describe("growTo", () => {
  it("grows by whole pages, and never shrinks", () => {
    const memory = new WebAssembly.Memory({ initial: 0 });
    growTo(memory, 65_537);
    assert.equal(memory.buffer.byteLength, 2 * 65_536);
    growTo(memory, 10);
    assert.equal(memory.buffer.byteLength, 2 * 65_536);
  });
});
