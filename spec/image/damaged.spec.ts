import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { decodeImage } from "../../lib/image/decode.ts";
import { nodeCodecs } from "../../lib/node/images/codecs.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { readCases } from "../../tools/golden/image-cases.ts";
import { fixture } from "../support/paths.ts";

/** Per file. Set DAMAGE_ROUNDS=200 for a long run. */
const rounds = Number(process.env["DAMAGE_ROUNDS"] ?? 6);

/** Reproducible random numbers in 0…1. Source: mulberry32 */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

describe("decodeImage, with damaged files", () => {
  it("gives an image or an InputError, wherever bytes are cut off or changed", async function () {
    this.timeout(60_000 + rounds * 10_000);
    const next = random(7);
    const codecs = nodeCodecs();
    const outcomes = { images: 0, refused: 0 };
    for (const { file } of await readCases(fixture("images"))) {
      const whole = new Uint8Array(await readFile(fixture(`images/${file}`)));
      for (let round = 0; round < rounds; round++) {
        const cut = round % 2 === 0;
        const bytes = cut ? whole.slice(0, Math.floor(next() * whole.length)) : whole.slice();
        // Half of the changes are in the header, which holds sizes, modes and offsets.
        const reach = round % 4 === 1 ? Math.min(120, bytes.length) : bytes.length;
        for (let flips = 0; !cut && flips < 1 + (round % 3); flips++) {
          bytes[Math.floor(next() * reach)] = Math.floor(next() * 256);
        }
        const started = performance.now();
        try {
          const image = await decodeImage(bytes, file, codecs);
          assert.equal(image.data.length, image.width * image.height * image.stride, file);
          outcomes.images += 1;
        } catch (error) {
          assert.ok(error instanceof InputError, `${file}, round ${round}: ${(error as Error).stack ?? ""}`);
          assert.ok(!error.message.includes("\n"), error.message);
          outcomes.refused += 1;
        }
        const seconds = (performance.now() - started) / 1000;
        assert.ok(seconds < 20, `${file}, round ${round}: ${seconds} s`);
      }
    }
    assert.ok(outcomes.images > 50 && outcomes.refused > 50, JSON.stringify(outcomes));
  });
});
