/** The page of `clipscope serve` in a real browser. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { clipscope } from "../support/cli.ts";
import { sampleNames } from "../support/index-folder.ts";
import { servedFolders, shardRows, startServer } from "../support/served-indices.ts";
import { shots, StudioBrowser } from "../support/studio.ts";

describe("the page of clipscope serve", () => {
  const folders = servedFolders();
  let browser: StudioBrowser;
  let expected = /^$/;
  before(async () => {
    browser = await StudioBrowser.start(() => startServer([folders.photos, folders.shards], { page: true }));
  });
  afterEach(async () => {
    await browser.closePages(expected);
    expected = /^$/;
  });
  after(() => browser.stop());

  async function searchFor(page: Page, text: string): Promise<void> {
    await page.getByLabel("Text to search for").fill(text);
    await page.getByRole("button", { name: "Search", exact: true }).click();
    await page.getByRole("status").getByText(`“${text}”`).waitFor();
  }

  /** The ids of the results, in their order. */
  function found(page: Page): Promise<number[]> {
    return page
      .locator(".card")
      .evaluateAll((cards) => cards.map((card) => Number((card as HTMLElement).dataset["id"])));
  }

  async function imagesAreShown(page: Page): Promise<void> {
    await page.waitForFunction(() =>
      [...document.querySelectorAll("img")].every(
        ({ complete, naturalWidth }) => complete && naturalWidth > 0,
      ),
    );
  }

  it("finds by a text in any language what `clipscope query` finds, and shows it", async () => {
    const page = await browser.open();
    for (const text of ["three brown stars", "緑の三日月が四つ"]) {
      await searchFor(page, text);
      const { stdout } = await clipscope(["query", folders.photos, text, "--json", "--backend", "wasm"]);
      assert.deepEqual(
        await found(page),
        (JSON.parse(stdout) as { id: number }[]).map(({ id }) => id),
      );
      await imagesAreShown(page);
    }
    await page.screenshot({ path: join(shots, "search-page-light.png"), fullPage: true });
  });

  it("finds rows like a row, and like an image from the user's disk", async () => {
    const page = await browser.open();
    await searchFor(page, "red");
    const heart = sampleNames.indexOf("orange-heart.jpg");
    await page.locator(`.card[data-id="${heart}"] .image`).click();
    await page.getByRole("status").getByText(`row ${heart}`).waitFor();
    assert.equal((await found(page))[0], heart);
    const file = join(folders.images, "two-red-circles.png");
    await page.setInputFiles("input[type=file]", file);
    await page.getByRole("status").getByText("two-red-circles.png").waitFor();
    assert.equal((await found(page))[0], sampleNames.indexOf("two-red-circles.png"));
  });

  it("searches another index, its captions, and rows that fulfil a condition", async () => {
    const page = await browser.open("", { colorScheme: "dark" });
    await page.getByLabel("Index").selectOption("shards");
    await page.getByText(`${shardRows} rows`).waitFor();
    await page.getByLabel("Search in").selectOption("text");
    await page.getByLabel("Only where").fill("caption LIKE '%red%'");
    await searchFor(page, "red circles");
    const ids = await found(page);
    assert.equal(ids.length, shardRows / sampleNames.length);
    for (const id of ids) assert.match(sampleNames[id % sampleNames.length]!, /red/);
    const link = page.locator(".card a").first();
    assert.deepEqual(
      [await link.getAttribute("href"), await link.getAttribute("rel")],
      [`http://x/${ids[0]!}`, "noreferrer noopener"],
    );
    await imagesAreShown(page);
    await page.screenshot({ path: join(shots, "search-page-dark.png"), fullPage: true });
  });

  it("says what is wrong with a condition", async () => {
    expected = /status 400|status of 400/;
    const page = await browser.open();
    await page.getByLabel("Index").selectOption("shards");
    await page.getByLabel("Only where").fill("bytes > 1");
    await page.getByLabel("Text to search for").fill("red");
    await page.getByRole("button", { name: "Search", exact: true }).click();
    await page.getByRole("alert").getByText("expected one of the columns that this server shows").waitFor();
    assert.deepEqual(await found(page), []);
  });

  it("is accessible", async () => {
    const axe = await readFile(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
    for (const colorScheme of ["light", "dark"] as const) {
      const page = await browser.open("", { colorScheme });
      await searchFor(page, "red");
      await imagesAreShown(page);
      await page.evaluate(axe);
      const violations = await page.evaluate(async () => {
        const { axe } = globalThis as unknown as {
          axe: { run(root: Document): Promise<{ violations: { id: string; nodes: { html: string }[] }[] }> };
        };
        const { violations } = await axe.run(document);
        return violations.map(({ id, nodes }) => [id, ...nodes.map(({ html }) => html)]);
      });
      assert.deepEqual(violations, []);
    }
  });
});
