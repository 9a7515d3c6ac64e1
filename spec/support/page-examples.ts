import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { copyFile, symlink, writeFile } from "node:fs/promises";
import { basename, dirname, join } from "node:path";
import { globSync } from "tinyglobby";
import { hasExamples, rerunExamples } from "./console-blocks.ts";
import { packageRoot } from "./paths.ts";
import { temporaryFolder } from "./temporary.ts";

const number = /-?\d+(?:\.\d+)?(?:e[-+]?\d+)?/g;

/**
 * The tolerance of a page's figures, in their own unit, if it exceeds rounding: a probe may classify an image or two
 * differently on another backend.
 */
const tolerances: Readonly<Record<string, number>> = {
  "docs/how-to/linear-probes.md": 2,
  "docs/how-to/adapt.md": 2,
  // Shares of 80 images, and losses after a hundred steps.
  "docs/how-to/train.md": 0.05,
  // Shares of 32 and 80 images in percent, after training.
  "docs/how-to/finetune.md": 4,
  // Shares of 64 images.
  "docs/how-to/evaluate.md": 0.04,
};

/** Pages whose commands train or evaluate for more than a few seconds: `npm run test:slow` runs them. */
export const longPages: readonly string[] = [
  "docs/how-to/adapt.md",
  "docs/how-to/evaluate.md",
  "docs/how-to/finetune.md",
  "docs/how-to/linear-probes.md",
  "docs/how-to/train.md",
];

/** The pages with examples. */
export const pages: readonly string[] = globSync(["README.md", "docs/**/*.md"], { cwd: packageRoot })
  .sort()
  .filter((name) => hasExamples(read(name)));

/** Specs that run the examples of pages and compare what they print. */
export function describePages(names: readonly string[]): void {
  describe("the pages' examples", function () {
    this.timeout(120_000);
    const folder = temporaryFolder();
    const home = process.cwd();
    beforeEach(async () => {
      // The commands find the files of a checkout. The files that they write are deleted with the folder.
      for (const name of ["bin", "dist", "fixtures"]) {
        await symlink(`${packageRoot}${name}`, folder.file(name));
      }
      process.chdir(folder.path);
    });
    afterEach(() => {
      process.chdir(home);
    });

    for (const name of names) {
      it(`${name} shows what its commands print (UPDATE_DOCS=1 rewrites it)`, async () => {
        const page = read(name);
        const now = await rerunExamples(page);
        if (process.env["UPDATE_DOCS"] === "1") await writeFile(`${packageRoot}${name}`, now);
        else assertAlike(now, page, tolerances[name] ?? 0);
        await compareCharts(name, page, folder.path);
      });
    }
  });
}

/** Compares the charts on a page with those that its commands drew, or replaces them. */
async function compareCharts(name: string, page: string, drawnIn: string): Promise<void> {
  for (const [, link] of page.matchAll(/!\[[^\]]*\]\(([^)]+\.(?:png|svg))\)/g)) {
    const shown = join(packageRoot, dirname(name), link!);
    const [drawn] = globSync(`*/${basename(shown)}`, { cwd: drawnIn, absolute: true });
    if (drawn === undefined) continue; // the page's commands did not draw it
    if (process.env["UPDATE_DOCS"] === "1") await copyFile(drawn, shown);
    else if (shown.endsWith(".png")) assert.deepEqual(pngSize(drawn), pngSize(shown), link);
    else assertAlike(readFileSync(drawn, "utf8"), readFileSync(shown, "utf8"), 2);
  }
}

/** Width and height, from the header. Compression and the last bit of a colour differ between backends. */
function pngSize(path: string): [width: number, height: number] {
  const bytes = readFileSync(path);
  return [bytes.readUInt32BE(16), bytes.readUInt32BE(20)];
}

/** The same words, and numbers that are equal up to the last digits, in which backends differ. */
function assertAlike(now: string, page: string, tolerance: number): void {
  const words = (text: string): string =>
    text
      .replace(number, "#")
      .replace(/ {2}best$/gm, "")
      .replace(/[ ▁▂▃▄▅▆▇█▏▎▍▌▋▊▉]+/g, " ");
  assert.deepEqual(words(now).split("\n"), words(page).split("\n"));
  const [ours, written] = [now, page].map((text) => text.match(number) ?? []);
  for (const [i, value] of written!.entries()) {
    const lastDigit = 10 ** -(/\.(\d+)/.exec(value)?.[1]?.length ?? 0);
    const rounding = /\./.test(value) ? Math.max(2 * lastDigit, Math.abs(Number(value)) * 1e-3) : 0;
    const difference = Math.abs(Number(ours![i]) - Number(value));
    assert.ok(difference <= Math.max(rounding, tolerance), `${ours![i]} where the page has ${value}`);
  }
}

function read(name: string): string {
  return readFileSync(`${packageRoot}${name}`, "utf8");
}
