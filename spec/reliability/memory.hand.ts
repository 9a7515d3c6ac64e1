/** The memory of commands over images does not grow with their number. IMAGES=10000 is for a run by hand. */
import assert from "node:assert/strict";
import { clipscopeProcess } from "../support/cli.ts";
import { manyImages } from "../support/many-images.ts";
import { fixture } from "../support/paths.ts";
import { peakMemory, reportingPeak } from "../support/peak-memory.ts";
import { temporaryFolder } from "../support/temporary.ts";

const counts = [1, 10].map((times) => (times * Number(process.env["IMAGES"] ?? 2_000)) / 10);

/** In MiB, between the two numbers of images: the paths, and what the garbage collector leaves. */
const mostGrowth = 40;

describe(`the memory of ${counts.join(" and of ")} images`, () => {
  const folder = temporaryFolder();

  const commands: readonly (readonly [title: string, args: (album: string) => string[]])[] = [
    ["classify", (album) => ["classify", album, "--labels", "red,blue,green", "--json"]],
    ["embed", (album) => ["embed", "--images", album, "--out", `${album}.safetensors`]],
    ["search", (album) => ["search", "a red circle", album]],
  ];
  for (const [title, args] of commands) {
    it(`is the same in ${title}`, async function () {
      this.timeout(900_000);
      const peaks: number[] = [];
      for (const count of counts) {
        const album = manyImages(folder.path, fixture("demo-model/samples/two-red-circles.png"), count, 10);
        const started = performance.now();
        const { status, stderr } = await clipscopeProcess(args(album), { nodeArgs: reportingPeak });
        assert.equal(status, 0, stderr);
        const seconds = (performance.now() - started) / 1000;
        peaks.push(peakMemory(stderr) / 2 ** 20);
        console.log(`        ${count} images: ${peaks.at(-1)!.toFixed()} MiB, ${seconds.toFixed(1)} s`);
      }
      assert.ok(peaks[1]! - peaks[0]! < mostGrowth, `${peaks[0]!.toFixed()} and ${peaks[1]!.toFixed()} MiB`);
    });
  }
});
