import assert from "node:assert/strict";
import { readdirSync, readFileSync } from "node:fs";
import { symlink, writeFile } from "node:fs/promises";
import { hasExamples, rerunExamples } from "../support/console-blocks.ts";
import { packageRoot } from "../support/paths.ts";
import { temporaryFolder } from "../support/temporary.ts";

const number = /-?\d+(?:\.\d+)?(?:e[-+]?\d+)?/g;

/**
 * How far figures of a page may be off in their own unit, where that is more than rounding: a probe may put an image or
 * two into another class on another backend.
 */
const tolerances: Readonly<Record<string, number>> = { "docs/how-to/linear-probes.md": 2 };

const pages = ["README.md", ...markdownIn("docs")].filter((name) => hasExamples(read(name)));

describe("the pages' examples", function () {
  this.timeout(120_000);
  const folder = temporaryFolder();
  const home = process.cwd();
  beforeEach(async () => {
    // The commands find what a checkout has; what they write is deleted with the folder.
    for (const name of ["bin", "dist", "fixtures"]) {
      await symlink(`${packageRoot}${name}`, folder.file(name));
    }
    process.chdir(folder.path);
  });
  afterEach(() => {
    process.chdir(home);
  });

  for (const name of pages) {
    it(`${name} shows what its commands print (UPDATE_DOCS=1 rewrites it)`, async () => {
      const page = read(name);
      const now = await rerunExamples(page);
      if (process.env["UPDATE_DOCS"] === "1") await writeFile(`${packageRoot}${name}`, now);
      else assertAlike(now, page, tolerances[name] ?? 0);
    });
  }
});

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

function markdownIn(folder: string): string[] {
  return readdirSync(`${packageRoot}${folder}`, { recursive: true, encoding: "utf8" })
    .filter((path) => path.endsWith(".md"))
    .map((path) => `${folder}/${path}`)
    .sort();
}
