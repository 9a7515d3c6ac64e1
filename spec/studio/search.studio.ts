/** The studio's view Search, against the command line's search. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Jimp } from "jimp";
import type { Page } from "playwright-core";
import { encodeFeatures } from "../../lib/features/features-file.ts";
import { decodeImage } from "../../lib/image/decode.ts";
import { nodeCodecs } from "../../lib/node/images/codecs.ts";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { languages, phrase } from "../../tools/demo-model/captions.ts";
import { imageOf } from "../../tools/demo-model/dataset.ts";
import { Random } from "../../tools/demo-model/random.ts";
import { sampleScene } from "../../tools/demo-model/scene.ts";
import { clipscope } from "../support/cli.ts";
import { randomFeatures } from "../support/random-features.ts";
import { live, StudioBrowser } from "../support/studio.ts";

const images = 120;
const shown = 24;

interface Match {
  readonly path: string;
  readonly similarity: number;
}

describe("the studio's view Search", () => {
  let studio: StudioBrowser;
  const folder = mkdtempSync(join(tmpdir(), "clipscope-search-"));
  const features = join(folder, "features.safetensors");

  before(async () => {
    studio = await StudioBrowser.start();
    mkdirSync(join(folder, "images"));
    for (let i = 0; i < images; i++) {
      const { data } = imageOf(sampleScene(new Random(7, i), "train"), 7, i, 84, 84);
      const image = new Jimp({ data: Buffer.from(data), width: 84, height: 84 });
      await image.write(join(folder, "images", `${String(i).padStart(3, "0")}.png`) as `${string}.png`);
    }
    const { status, stderr } = await clipscope(
      ["embed", "--images", join(folder, "images"), "--out", features].concat(["--backend", "wasm"]),
    );
    assert.equal(status, 0, stderr);
  });
  afterEach(() => studio.closePages());
  after(async () => {
    await studio.stop();
    await rm(folder, { recursive: true });
  });

  async function openFile(page: Page, file: string): Promise<void> {
    await live(page);
    await page.setInputFiles("[data-choose=features]", file);
    await page.getByText(file.split("/").at(-1)!, { exact: true }).waitFor();
  }

  async function results(page: Page): Promise<Match[]> {
    await page.waitForSelector("[data-found]");
    return page.locator(".search-results button").evaluateAll((buttons) =>
      buttons.map((button) => ({
        path: button.getAttribute("data-path")!,
        similarity: Number(button.querySelector(".cosine")!.getAttribute("title")),
      })),
    );
  }

  async function expected(query: readonly string[], file = features): Promise<Match[]> {
    const { stdout } = await clipscope(
      ["search", ...query, "--features", file, "--top", `${shown}`].concat(["--backend", "wasm", "--json"]),
    );
    return JSON.parse(stdout) as Match[];
  }

  function agrees(found: readonly Match[], wanted: readonly Match[], what: string): void {
    assert.deepEqual(
      found.map(({ path }) => path),
      wanted.map(({ path }) => path),
      what,
    );
    for (const [i, { similarity }] of found.entries()) {
      assert.ok(Math.abs(similarity - wanted[i]!.similarity) <= 1e-6, `${what}: ${similarity}`);
    }
  }

  it("orders the rows as the command line does, for queries in seven languages", async () => {
    const page = await studio.open("#/search");
    await openFile(page, features);
    const queries = Array.from({ length: 21 }, (_, i) => {
      const { count, colour, shape } = sampleScene(new Random(7, i), "train");
      return phrase(languages[i % languages.length]!, { count, colour, shape });
    });
    assert.equal(languages.length, 7);
    for (const query of queries) {
      await page.getByLabel("Text to search for").fill(query);
      await page.keyboard.press("Enter");
      await page.waitForFunction(
        (q) => new URLSearchParams(location.hash.split("?")[1]).get("q") === q,
        query,
      );
      agrees(await results(page), await expected([query]), query);
    }
  });

  it("searches by an image as the command line does, and by a result", async () => {
    const page = await studio.open("#/search?img=s%3Atwo-red-circles");
    await openFile(page, features);
    await page.getByRole("button", { name: "Current image" }).click();
    await page.waitForFunction(() => location.hash.includes("search=image"));
    const byImage = await expected(["--image", `${demoModel}/samples/two-red-circles.png`]);
    agrees(await results(page), byImage, "two red circles");
    const third = byImage[2]!.path;
    await page.locator(`[data-path="${third}"]`).click();
    await page.waitForFunction(() => location.hash.includes("search=row"));
    await page.waitForFunction(
      (path) => document.querySelector(".search-results button")?.getAttribute("data-path") === path,
      third,
    );
    const [first] = await results(page);
    assert.ok(Math.abs(first!.similarity - 1) < 1e-6);
    agrees(await results(page), await expected(["--image", third]), third);
    await page.goBack();
    await page.waitForFunction(() => location.hash.includes("search=image"));
  });

  it("shows dropped images beside their paths, and a map of all rows", async () => {
    const page = await studio.open("#/search");
    await openFile(page, features);
    await page.waitForSelector(`[data-mapped="${images}"]`);
    assert.equal(await page.locator(".search-results img").count(), 0);
    await page.setInputFiles("[data-choose=thumbnails]", join(folder, "images"));
    await page.waitForFunction(
      (count) => document.querySelectorAll(".search-results img").length === count,
      shown,
    );
    const [png] = await Promise.all([
      page.waitForEvent("download"),
      page.locator(".search-map").getByRole("button", { name: "PNG" }).click(),
    ]);
    const drawn = await decodeImage(await readFile(await png.path()), "map.png", nodeCodecs());
    assert.ok(drawn.width > 600 && new Set(drawn.data).size > 10, "dots in several colours");
    await page.locator(".scatter-map").focus();
    await page.keyboard.press("ArrowRight");
    await page.keyboard.press("Enter");
    await page.waitForFunction(() => location.hash.includes("search=row"));
  });

  it("refuses features of another model with the command line's words", async () => {
    const other = join(folder, "other");
    await clipscope(["convert", demoModel, other, "--dtype", "bf16"]);
    const file = join(folder, "other.safetensors");
    await clipscope([
      "embed",
      "--images",
      `${demoModel}/samples`,
      "--out",
      file,
      "--model",
      other,
      "--backend",
      "wasm",
    ]);
    const { stderr, status } = await clipscope(["search", "x", "--features", file, "--backend", "wasm"]);
    assert.equal(status, 2);
    const page = await studio.open("#/search");
    await live(page);
    await page.setInputFiles("[data-choose=features]", file);
    const notice = (await page.locator(".inline-problem").textContent())!;
    // The names of the file and of the page's model differ; the fingerprints and the words do not.
    const [, words = "", ...digests] = /: (made with .*: expected ).*\((\w{12})\).*\((\w{12})\)/.exec(
      stderr,
    )!;
    assert.equal(digests.length, 2);
    for (const part of [words, ...digests]) assert.ok(notice.includes(part), `${notice} lacks ${part}`);
    await page.getByRole("button", { name: "Search the tray’s images" }).click();
    assert.equal((await results(page)).length, 8);
  });

  it("searches 100,000 rows", async () => {
    const rows = 100_000;
    const width = 96;
    const parts = encodeFeatures({
      values: randomFeatures(rows, width, 50).values,
      rows,
      width,
      labels: null,
      classNames: null,
      paths: Array.from({ length: rows }, (_, i) => `${i}.jpg`),
      metadata: {},
    });
    const file = join(folder, "many.safetensors");
    writeFileSync(file, Buffer.concat(parts));
    const page = await studio.open("#/search");
    await openFile(page, file);
    const found = await results(page);
    agrees(found, await expected(["three brown stars"], file), "100,000 rows");
    const times: number[] = [];
    for (const text of ["a", "b", "c", "d", "e"]) {
      await page.getByLabel("Text to search for").fill(text);
      await page.keyboard.press("Enter");
      await page.waitForFunction((q) => location.hash.includes(`q=${q}`), text);
      await results(page);
      times.push(Number(await page.locator("[data-milliseconds]").getAttribute("data-milliseconds")));
    }
    const median = times.sort((a, b) => a - b)[2]!;
    console.log(`      ${rows} rows of ${width}: ${median.toFixed(0)} ms (budget 150 ms)`);
  });

  it("says what is wrong with damaged features", async () => {
    const page = await studio.open("#/search");
    await live(page);
    const parts = encodeFeatures({
      values: Float32Array.of(1, NaN),
      rows: 1,
      width: 2,
      labels: null,
      classNames: null,
      paths: ["a.jpg"],
      metadata: {},
    });
    const buffer = Buffer.concat(parts);
    await page.setInputFiles("[data-choose=features]", { name: "nan.safetensors", mimeType: "", buffer });
    await page.getByText(/nan\.safetensors: row 0 of the features holds NaN/).waitFor();
  });
});
