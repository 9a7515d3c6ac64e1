import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { PickleCutShort, unpickle } from "../../lib/checkpoint/pickle.ts";
import { TorchHost } from "../../lib/checkpoint/torch-objects.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { fixture } from "../support/paths.ts";

describe("unpickle", () => {
  it("a pickle of one-byte containers stops at the budget", () => {
    const bytes = new Uint8Array(4e6).fill("}".charCodeAt(0));
    bytes.set([0x80, 2]);
    assert.throws(
      () => unpickle("bomb.pt", bytes, new TorchHost("bomb.pt"), bytes.length + 64e6),
      /bomb\.pt: .*it needs more memory than a file of this size should/,
    );
  });

  const opcodes = Array.from("(.012FGIJKMNQRUVXabcdeghijlopqrstu}])", (c) => c.charCodeAt(0));
  const likely = fc.oneof(
    {
      weight: 4,
      arbitrary: fc.constantFrom(...opcodes, 0x80, 0x81, 0x85, 0x86, 0x87, 0x88, 0x8a, 0x93, 0x94),
    },
    { weight: 1, arbitrary: fc.integer({ min: 0, max: 255 }) },
  );

  it("as a pickle: a value or an InputError", () => {
    fc.assert(
      fc.property(fc.array(likely, { maxLength: 80 }), (codes) => {
        const bytes = Uint8Array.from([0x80, 2, ...codes, 0x2e]);
        try {
          unpickle("random.pt", bytes, new TorchHost("random.pt"), 1e6);
        } catch (error) {
          assert.ok(error instanceof InputError, (error as Error).stack);
        }
      }),
      { numRuns: 3000 },
    );
  });

  it("a pickle that ends anywhere is reported as cut short", async () => {
    const bytes = new Uint8Array(await readFile(fixture("checkpoints/protocol-2-legacy.pt")));
    const end = 200;
    for (let length = 20; length < end; length++) {
      const pickle = bytes.subarray(0, length);
      let at = 0;
      try {
        while (at < length) at = unpickle("cut.pt", pickle, new TorchHost("cut.pt"), 1e6, at).end;
      } catch (error) {
        assert.ok(error instanceof PickleCutShort, (error as Error).message);
      }
    }
  });
});
