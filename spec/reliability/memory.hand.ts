/**
 * The memory of commands over images does not grow with their number: the medians of several runs over 1,000 and over
 * 10,000 images. Single runs differ by about 20 MiB, by when the garbage collector runs and how the system counts memory.
 *
 * IMAGES: the larger number.
 */
import assert from "node:assert/strict";
import { clipscopeProcess } from "../support/cli.ts";
import { manyImages } from "../support/many-images.ts";
import { fixture } from "../support/paths.ts";
import { peakMemory, reportingPeak } from "../support/peak-memory.ts";
import { temporaryFolder } from "../support/temporary.ts";

const most = Number(process.env["IMAGES"] ?? 10_000);
const counts = [most / 10, most];
const rounds = 3;

/** In bytes for each further image: its name, its label and what is printed of it. Its pixels alone have 84,672. */
const mostPerImage = 2048;

describe(`the memory of ${counts.join(" and of ")} images`, () => {
  const folder = temporaryFolder();

  const commands: readonly (readonly [title: string, args: (album: string) => string[]])[] = [
    ["classify", (album) => ["classify", album, "--labels", "red,blue,green", "--json"]],
    ["embed", (album) => ["embed", "--images", album, "--out", `${album}.safetensors`]],
    ["search", (album) => ["search", "a red circle", album]],
  ];
  for (const [title, args] of commands) {
    it(`is the same in ${title}`, async function () {
      this.timeout(0);
      const image = fixture("demo-model/samples/two-red-circles.png");
      const albums = counts.map((count) => manyImages(folder.path, image, count, 10));
      const peaks = counts.map((): number[] => []);
      for (let round = 0; round < rounds; round++) {
        for (const [i, album] of albums.entries()) {
          const { status, stderr } = await clipscopeProcess(args(album), { nodeArgs: reportingPeak });
          assert.equal(status, 0, stderr);
          peaks[i]!.push(peakMemory(stderr));
        }
      }
      const [few, many] = peaks.map(median);
      const perImage = (many! - few!) / (counts[1]! - counts[0]!);
      const inMiB = peaks.map((of) => of.map((peak) => Math.round(peak / 2 ** 20)).join(", "));
      console.log(`        ${inMiB.join(" and ")} MiB: ${Math.round(perImage)} bytes for each further image`);
      assert.ok(perImage < mostPerImage, `${perImage} bytes for each further image`);
    });
  }
});

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)]!;
}
