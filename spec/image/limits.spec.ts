import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { bombs } from "../support/bombs.ts";
import { fixture } from "../support/paths.ts";
import { peakMemory, reportingPeak } from "../support/peak-memory.ts";
import { temporaryFolder } from "../support/temporary.ts";

const child = fileURLToPath(new URL("../support/decode-images.js", import.meta.url));

/** Decodes files in a process of its own. */
function decode(paths: readonly string[]): { readonly outcomes: (string | null)[]; readonly peak: number } {
  const run = spawnSync(process.execPath, [...reportingPeak, child, ...paths], { encoding: "utf8" });
  assert.equal(run.status, 0, run.stderr);
  return { outcomes: JSON.parse(run.stdout) as (string | null)[], peak: peakMemory(run.stderr) };
}

describe("decompression bombs", () => {
  const folder = temporaryFolder();

  for (const [format, files] of Object.entries(bombs((name) => readFileSync(fixture(`images/${name}`))))) {
    it(`of ${format} are refused before memory is taken`, function () {
      this.timeout(60_000);
      const paths = files.map(([, bytes], i) => {
        const path = folder.file(`${i}`);
        writeFileSync(path, bytes());
        return path;
      });
      const ordinary = fixture(`images/${ordinaryOf[format]!}`);
      const without = decode([ordinary]);
      assert.deepEqual(without.outcomes, [null]);
      const { outcomes, peak } = decode([ordinary, ...paths]);
      for (const [i, [title, , expected]] of files.entries()) {
        const message = outcomes[i + 1] ?? null;
        if (expected === null) assert.equal(message, null, title);
        else assert.match(message ?? "decoded", expected, title);
      }
      const taken = (peak - without.peak) / 2 ** 20;
      assert.ok(taken < mostTaken, `${format}: ${taken.toFixed()} MiB above an ordinary image's`);
    });
  }
});

/** In MiB: the files themselves (5 MB at most), a few buffers, and what the garbage collector leaves. */
const mostTaken = 80;

const ordinaryOf: Readonly<Record<string, string>> = {
  PNG: "png-rgb8.png",
  GIF: "gif-palette.gif",
  TIFF: "tiff-jpeg.tif",
  BMP: "bmp-rle8.bmp",
  WebP: "webp-lossless.webp",
  JPEG: "jpeg-420.jpg",
};
