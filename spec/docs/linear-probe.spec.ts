import assert from "node:assert/strict";
import { copyFile, readFile, writeFile } from "node:fs/promises";
import { rerunExamples } from "../support/console-blocks.ts";
import { packageRoot } from "../support/paths.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { writePictures } from "../../tools/demo-model/pictures.ts";

const number = /-?\d+(\.\d+)?(e[-+]?\d+)?/g;

describe("docs/linear-probe.md", () => {
  const folder = temporaryFolder();
  const home = process.cwd();
  afterEach(() => {
    process.chdir(home);
  });

  it("shows what the commands print (UPDATE_DOCS=1 rewrites it)", async function () {
    this.timeout(120_000); // the whole page, on a machine that may have other work
    const path = `${packageRoot}docs/linear-probe.md`;
    const page = await readFile(path, "utf8");
    process.chdir(folder.path);
    for (const [, task, out, count, seed] of page.matchAll(
      /^node .*pictures\.js --task (fill) --out (\w+) --count (\d+) --seed (\d+)$/gm,
    )) {
      assert.equal(task, "fill");
      const size = { width: 84, height: 84 };
      await writePictures({ task, out: out!, count: Number(count), seed: Number(seed), ...size });
    }
    const now = await rerunExamples(page);
    for (const [, name] of page.matchAll(/\(linear-probe\/(\w+\.svg)\)/g)) {
      const [drawn, shown] = [folder.file("pictures", name!), `${packageRoot}docs/linear-probe/${name}`];
      if (process.env["UPDATE_DOCS"] === "1") await copyFile(drawn, shown);
      else assert.deepEqual(await sizeOf(drawn), await sizeOf(shown), name);
    }
    if (process.env["UPDATE_DOCS"] === "1") await writeFile(path, now);
    else assertAlike(now, page);
  });
});

/** The size attributes of an SVG file. */
async function sizeOf(chart: string): Promise<string> {
  return /^<svg .*? (width="\d+" height="\d+")/.exec(await readFile(chart, "utf8"))![1]!;
}

/**
 * The same words, and numbers that differ by no more than a picture or two: backends round otherwise, and where two
 * classes are as good as equal that decides, as it decides which of equals is best.
 */
function assertAlike(now: string, page: string): void {
  const words = (text: string): string =>
    text
      .replace(number, "#")
      .replace(/ {2}best$/gm, "")
      .replace(/[ ▁▂▃▄▅▆▇█▏▎▍▌▋▊▉]+/g, " ");
  assert.deepEqual(words(now).split("\n"), words(page).split("\n"));
  const [ours, written] = [now, page].map((text) => text.match(number) ?? []);
  for (const [i, value] of written!.entries()) {
    assert.ok(Math.abs(Number(ours![i]) - Number(value)) <= 2, `${ours![i]} where the page has ${value}`);
  }
}
