import assert from "node:assert/strict";
import { existsSync, readdirSync } from "node:fs";
import { readFile } from "node:fs/promises";
import fc from "fast-check";
import { openTorchCheckpoint } from "../../lib/checkpoint/index.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { elementCount } from "../../lib/tensor/dtype.ts";
import { MemorySource } from "../support/memory-source.ts";
import { fixture } from "../support/paths.ts";

/** Opens a file and reads all its tensors. An error must be an InputError of one line. */
async function outcome(bytes: Uint8Array, name = "hostile.pt"): Promise<string> {
  try {
    const { store, skipped } = await openTorchCheckpoint(new MemorySource(bytes, name));
    for (const [tensor, { size }] of store.tensors) {
      assert.ok(size <= bytes.length + 16 * 1024 * 1024, `${tensor} takes ${size} bytes`);
      assert.equal((await store.read(tensor)).length, size);
    }
    return `read ${[...store.tensors.keys()].join()}; skipped ${skipped.join()}`;
  } catch (error) {
    assert.ok(error instanceof InputError, `${name}: ${(error as Error).stack ?? ""}`);
    assert.ok(!error.message.includes("\n"), "one line");
    return error.message;
  }
}

const folder = fixture("checkpoints/hostile");

describe("readTorchFile: hostile files", () => {
  const outcomes = new Map<string, string>();

  for (const file of readdirSync(folder)) {
    it(`${file}: runs nothing, does not hang, and takes no more memory than its size allows`, async () => {
      const bytes = new Uint8Array(await readFile(`${folder}/${file}`));
      const [start, before] = [performance.now(), process.memoryUsage()];
      const text = await outcome(bytes, file);
      outcomes.set(file, text);
      const after = process.memoryUsage();
      const grown = after.heapUsed + after.external - before.heapUsed - before.external;
      assert.ok(performance.now() - start < 3000, "it takes too long");
      assert.ok(grown < bytes.length + 100e6, `${grown} bytes more than before`);
      assert.ok(!existsSync("PWNED") && !existsSync(`${folder}/PWNED`), "it ran");
    });
  }

  it("calls are reported, and only tensors that need them are refused", () => {
    const lines: Record<string, RegExp> = {
      "os-system.pt": /^read visual\.proj; skipped attack \((posix|nt)\.system\)$/,
      "os-system-legacy.pt": /^read visual\.proj; skipped attack \((posix|nt)\.system\)$/,
      "builtins-eval.pt": /^read visual\.proj; skipped attack \((builtins|__builtin__)\.eval\)$/,
      "os-system-optimizer.pt": /^read visual\.proj; skipped $/,
      "os-system-alone.pt": /found an object of the class (posix|nt)\.system; save model\.state_dict\(\)/,
      "os-system-tensor.pt":
        /the tensor "visual\.proj" cannot be read: it is created by posix\.system, which is not supported$/,
      "javascript-keys.pt": /^read __proto__,constructor; skipped $/,
      "tensor-expanded.pt": /"visual\.proj" \[1099511627776\] is larger than the file/,
      "tensor-shape.pt": /cannot be read: it ends at byte 4398046511104 of a storage of 64 bytes/,
      "checksum.pt": /archive\/data\/0 is damaged/,
      "overlap.pt": /overlap/,
      "duplicate.pt": /two members are named "archive\/data\.pkl"/,
      "path-up.pt": /leads outside the archive/,
      "path-absolute.pt": /leads outside the archive/,
      "path-key.pt": /archive\/data\/\.\.\/data\.pkl is missing/,
      "zip-bomb.pt": /archive\/data\.pkl is compressed/,
      "zip-bomb-storage.pt": /is compressed/,
    };
    for (const [file, pattern] of Object.entries(lines)) assert.match(outcomes.get(file)!, pattern);
  });
});

describe("readTorchFile: any bytes", () => {
  for (const file of ["training.pt", "torchscript.pt", "protocol-4.pt", "protocol-5-legacy.pt", "views.pt"]) {
    it(`changed in ${file}: a store or an InputError`, async () => {
      const whole = new Uint8Array(await readFile(fixture(`checkpoints/${file}`)));
      // Most bytes of a file are numbers, where changes are harmless: most changes are near the file's ends.
      const edge = fc.oneof(
        fc.nat(Math.min(4000, whole.length - 1)),
        fc.nat(Math.min(4000, whole.length - 1)).map((n) => whole.length - 1 - n),
        fc.nat(whole.length - 1),
      );
      await fc.assert(
        fc.asyncProperty(
          fc.array(fc.tuple(edge, fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 6 }),
          fc.option(fc.nat(whole.length), { freq: 4 }),
          async (changes, cut) => {
            const bytes = whole.slice(0, cut ?? whole.length);
            for (const [at, value] of changes) if (at < bytes.length) bytes[at] = value;
            await outcome(bytes);
          },
        ),
        { numRuns: 250 },
      );
    });
  }

  it("elementCount is exact for every shape that is accepted", async () => {
    const bytes = new Uint8Array(await readFile(`${folder}/tensor-expanded-twice.pt`));
    assert.match(await outcome(bytes), /too large|larger than the file/);
    assert.equal(elementCount([2 ** 31, 2 ** 21]), 2 ** 52);
  });
});
