/** What leaves the views: numbers as tables, CSV and images, and the commands that compute the same. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdtempSync, readdirSync, writeFileSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Jimp } from "jimp";
import type { Page } from "playwright-core";
import { FileSource } from "../../lib/node/files/file-source.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { SafetensorsFile } from "../../lib/tensor/index.ts";
import { StoredTrace } from "../../lib/trace/stored-trace.ts";
import { demoModel, loadModel } from "../../lib/index.ts";
import { positionCosines } from "../../lib/study/weights.ts";
import { packageRoot } from "../support/paths.ts";
import { copiedBy, live, resultOf, StudioBrowser } from "../support/studio.ts";

describe("what leaves the studio's views", () => {
  let studio: StudioBrowser;
  let folder: string;
  before(async () => {
    studio = await StudioBrowser.start();
  });
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "clipscope-exports-"));
  });
  afterEach(async () => {
    await studio.closePages();
    await rm(folder, { recursive: true });
  });
  after(() => studio.stop());

  async function open(hash: string, selector: string): Promise<Page> {
    const page = await studio.open(hash);
    await live(page);
    await resultOf(page, selector);
    return page;
  }

  const copied = (page: Page, name = "Copy command"): Promise<string> =>
    copiedBy(page.locator(".view-head").getByRole("button", { name }));

  /** Runs a copied command as a user would, in an empty folder. */
  function run(command: string, options = ""): string {
    const here = command
      .replaceAll("node bin/", `${process.execPath} ${packageRoot}bin/`)
      .replaceAll("fixtures/demo-model", `${packageRoot}fixtures/demo-model`);
    const result = spawnSync(`${here} --backend wasm ${options}`, {
      cwd: folder,
      encoding: "utf8",
      shell: true,
    });
    assert.equal(result.status, 0, `${command}\n${result.stderr}`);
    return result.stdout;
  }

  async function saved(page: Page, name: string): Promise<Buffer> {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.click(`button[aria-label="Save ${name}"]`),
    ]);
    return readFile(await download.path());
  }

  const numbers = (csv: Buffer): Float32Array =>
    Float32Array.from(csv.toString().trim().split(/[\n,]/), Number);

  async function tap(
    file: string,
    name: string,
  ): Promise<{ shape: readonly number[]; values: Float32Array }> {
    const opened = await SafetensorsFile.open(await FileSource.open(join(folder, file)));
    const trace = new StoredTrace(opened);
    const found = trace.taps.find((one) => one.name === name);
    assert.ok(found, `${file} has no ${name}`);
    const values = await trace.read(name);
    await opened.close();
    return { shape: found.shape, values };
  }

  function assertNear(actual: Float32Array, expected: Float32Array, tolerance = 1e-4): void {
    const { relativeL2 } = compare(actual, expected);
    assert.ok(relativeL2 <= tolerance, `relative L2 ${relativeL2}`);
  }

  it("are Attention's numbers, which the copied command draws", async () => {
    const page = await open("#/attention?L=3&H=2", ".token-matrix .cells");
    run(await copied(page));
    const drawn = readdirSync(join(folder, "figures"));
    assert.ok(
      drawn.some((name) => name.includes("attention")),
      drawn.join(", "),
    );
    const matrix = numbers(await saved(page, "attention-3-2.csv"));
    const row = numbers(await saved(page, "attention-from-3-2.csv"));
    assertNear(row, matrix.slice(1, 37)); // the class token's row, without itself
  });

  it("are Text's numbers, which the copied command writes", async () => {
    const page = await open("#/text?L=1&H=2", ".text-map:last-child .cells");
    run(await copied(page));
    const { shape, values } = await tap(
      "attention.safetensors",
      "text.transformer.encoder.layer.1.attention.self#probabilities",
    );
    const [, , length = 0] = shape;
    const head = values.slice(2 * length * length, 3 * length * length);
    assertNear(numbers(await saved(page, "attention-1-2.csv")), head);
  });

  it("are Stream's states, which the copied command writes", async () => {
    const page = await open("#/stream", ".turns .cells");
    run(await copied(page));
    const norms = numbers(await saved(page, "token-norms.csv"));
    const { shape, values } = await tap("stream.safetensors", "visual.transformer.resblocks.3");
    const [, tokens = 0, width = 0] = shape;
    const expected = Float32Array.from({ length: tokens }, (_, i) =>
      Math.hypot(...values.subarray(i * width, (i + 1) * width)),
    );
    assertNear(norms.slice(-tokens), expected);
  });

  it("are Weights' filters, which the copied command draws, and position cosines", async () => {
    const page = await open("#/weights", ".weights-part .histogram");
    run(await copied(page));
    const drawn = await Jimp.fromBuffer(await readFile(join(folder, "figures", "patch-filters.png")));
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page
        .locator(".weights-part", { hasText: "Patch filters" })
        .getByRole("button", { name: "PNG" })
        .click(),
    ]);
    const sheet = await Jimp.fromBuffer(await readFile(await download.path()));
    // The command's image has a legend below.
    assert.ok(sheet.width === drawn.width && sheet.height < drawn.height);
    const channels = (image: typeof drawn): Uint8Array =>
      image.bitmap.data.subarray(0, 4 * sheet.width * sheet.height);
    const [ours, theirs] = [channels(sheet), channels(drawn)];
    let worst = 0;
    for (let i = 0; i < ours.length; i++) worst = Math.max(worst, Math.abs(ours[i]! - theirs[i]!));
    assert.ok(worst <= 1, `channels differ by up to ${worst}`);
    const model = await loadModel(demoModel, { backend: "wasm" });
    const { values } = await positionCosines(model.visual);
    await model.dispose();
    assertNear(numbers(await saved(page, "position-cosines.csv")), values);
  });

  it("are Match's and Lens's probabilities, which the copied commands print and draw", async () => {
    const page = await open(
      "#/match?score=labels&labels=one%20star%0Athree%20stars%2C%20brown",
      ".match-matrix td",
    );
    const printed = JSON.parse(run(await copied(page), "--json")) as {
      scores: { label: string; probability: number }[];
    }[];
    assert.equal(printed.length, 8);
    const [first] = printed[0]!.scores;
    const titles = await page
      .locator(".match-matrix tbody tr")
      .first()
      .locator("td")
      .evaluateAll((cells) => cells.map((cell) => Number(cell.getAttribute("title"))));
    assert.ok(titles.some((value) => Math.abs(value - first!.probability) < 1e-4));
    await page.evaluate(() => {
      location.hash = "#/lens";
    });
    await page.waitForSelector(".layer-chart");
    run(await copied(page));
    assert.ok(readdirSync(join(folder, "figures")).length > 3);
    const svg = (await saved(page, "lens-probabilities.svg")).toString();
    assert.match(svg, /^<svg [^>]*xmlns="http:\/\/www\.w3\.org\/2000\/svg"/);
    assert.match(svg, /stroke="rgb\(/);
    assert.doesNotMatch(svg, /class=|var\(/);
  });

  it("are Why's score and map, which the copied command prints and draws", async () => {
    const page = await open("#/why?method=relevance", 'button[aria-label="Save why-relevance.csv"]');
    const report = JSON.parse(run(await copied(page), "--json")) as unknown;
    const shown = Number(
      (await page.locator(".readout", { hasText: "Score:" }).locator("b").textContent())!.replace("−", "-"),
    );
    const scores = JSON.stringify(report).match(/"score":(-?[\d.]+)/);
    assert.ok(Math.abs(Number(scores![1]) - shown) < 1e-3, `${scores![1]}, shown ${shown}`);
    assert.ok(readdirSync(join(folder, "maps")).some((name) => name.includes("relevance")));
  });

  it("are Intervene's changes, which the copied program prints", async () => {
    const page = await open("#/intervene?L=3", 'button[aria-label="Save head-sweep.csv"]');
    const program = await copied(page, "Copy program");
    // Inside the package, whose own name it imports.
    const file = `${packageRoot}dist/copied-${process.pid}.mjs`;
    writeFileSync(
      file,
      program
        .replace("console.table(changes", "console.log(JSON.stringify(changes")
        .replace(/\);\n$/, "));\n"),
    );
    const result = spawnSync(process.execPath, [file], {
      encoding: "utf8",
      env: { ...process.env, CLIPSCOPE_BACKEND: "wasm" },
    });
    await rm(file);
    assert.equal(result.status, 0, result.stderr);
    const changes = JSON.parse(/\[\[.*\]\]/.exec(result.stdout)![0]) as number[][];
    assertNear(numbers(await saved(page, "head-sweep.csv")), Float32Array.from(changes.flat()));
  });

  it("are shown as a table with the names of rows and columns, by the keyboard", async () => {
    const page = await open("#/text?L=0&H=0", ".text-map:last-child .cells");
    const csv = numbers(await saved(page, "attention-0-0.csv"));
    await page.getByRole("button", { name: "Show attention-0-0 as a table" }).focus();
    await page.keyboard.press("Enter");
    const dialog = page.getByRole("dialog");
    const names = await dialog.locator("thead th").allTextContents();
    assert.deepEqual(names, await dialog.locator("tbody th").allTextContents());
    assert.equal(names[1], "three");
    const cells = await dialog.locator("tbody td").allTextContents();
    assert.equal(cells.length, csv.length);
    for (const [i, cell] of cells.entries()) {
      const value = Number(cell.replace("−", "-"));
      assert.ok(Math.abs(value - csv[i]!) <= 2e-2 * Math.abs(csv[i]!), `${cell}, ${csv[i]}`); // two to four digits
    }
    await page.keyboard.press("Escape");
    await dialog.waitFor({ state: "hidden" });
  });

  it("are images of the maps, with a legend", async () => {
    const page = await open("#/stream", ".turns .cells");
    const csv = numbers(await saved(page, "state-cosines.csv"));
    const image = await Jimp.fromBuffer(await saved(page, "state-cosines.png"));
    assert.ok(image.width >= 420 && image.height > 420);
    // The diagonal, whose cosines are 1, has the colour of the legend's right end; the rest is paler.
    const colour = (x: number, y: number): number => image.getPixelColor(x, y) >>> 8;
    const [left, top, side] = [20, 42, 420 / Math.sqrt(csv.length)];
    const right = colour(left + 419, top + 420 + 8 + 5);
    for (let i = 0; i < Math.sqrt(csv.length); i++) {
      const at = Math.round(side * (i + 0.5));
      assert.equal(colour(left + at, top + at), right);
    }
    assert.notEqual(colour(left + Math.round(side * 0.5), top + Math.round(side * 1.5)), right);
  });
});
