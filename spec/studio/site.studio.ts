/** The static site, in a folder of a plain web host: whole, without a connection, and as a figure of another page. */
import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, writeFileSync } from "node:fs";
import { readdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { clipscope } from "../support/cli.ts";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { hostFolder, type StaticHost } from "../support/static-host.ts";
import { copiedBy, live, shots, StudioBrowser } from "../support/studio.ts";
import { writeSite } from "../../tools/studio/site.ts";

const path = "/courses/clip/studio/";

/** A page that shows a figure, as a course would. */
function post(theme: string): string {
  return `<!doctype html><html lang="en"><title>Post</title><link rel="icon" href="data:," /><body style="margin:0">
    <iframe src="./?embed=1&amp;theme=${theme}#/attention?L=3&amp;H=0" title="Attention" width="100%" height="720"
      style="border:0"></iframe></body></html>`;
}

describe("the studio's static site", () => {
  const folder = mkdtempSync(join(tmpdir(), "clipscope-site-"));
  const site = join(folder, "site");
  let host: StaticHost;
  let studio: StudioBrowser;
  let expected = /^$/;
  before(async () => {
    await writeSite(site);
    const pages = { [`${path}light.html`]: post("light"), [`${path}dark.html`]: post("dark") };
    studio = await StudioBrowser.start(async () => (host = await hostFolder(site, path, pages)));
  });
  afterEach(async () => {
    await studio.closePages(expected);
    expected = /^$/;
  });
  after(async () => {
    await studio.stop();
    await rm(folder, { recursive: true });
  });

  async function show(page: Page, hash: string, selector: string): Promise<void> {
    await page.evaluate((to) => {
      location.hash = to;
    }, hash);
    await page.waitForSelector(selector);
  }

  it("classifies as the command line does, verifies its goldens, and has the walk", async () => {
    const page = await studio.open("#/match?score=labels");
    await live(page);
    await page.waitForSelector(".match-matrix tbody tr");
    const labels = await page.locator(".match-matrix thead th").allTextContents();
    const image = `${demoModel}/samples/three-brown-stars.png`;
    const args = ["classify", image, "--labels", labels.join(","), "--backend", "wasm", "--json"];
    const [{ scores }] = JSON.parse((await clipscope(args)).stdout) as [
      { scores: { label: string; probability: number }[] },
    ];
    const row = page.locator(".match-matrix tbody tr", {
      has: page.getByRole("button", { name: "three brown stars" }),
    });
    const shown = await row
      .locator("td")
      .evaluateAll((cells) => cells.map((cell) => Number(cell.getAttribute("title"))));
    for (const { label, probability } of scores) {
      assert.ok(Math.abs(shown[labels.indexOf(label)]! - probability) <= 1e-4, label);
    }
    await show(page, "#/parity?golden=text-tower&isolated=on", '[data-verified="44"] [data-pair]');
    assert.equal(await page.locator(".compare-summary b").first().textContent(), "Passed");
    await page.keyboard.press("w");
    await page.waitForSelector(".walk h2");
  });

  it("opens without a connection after the first visit, in any view", async () => {
    const page = await studio.open("#/pass");
    await live(page);
    await page.evaluate(() => navigator.serviceWorker.ready);
    // The worker is active once it has kept all files.
    await page.waitForFunction(() => navigator.serviceWorker.controller !== null);
    await host.close();
    expected = /ERR_CONNECTION_REFUSED/;
    await page.reload();
    await live(page);
    await show(page, "#/attention?L=2&H=1", ".token-matrix .cells");
    await show(page, "#/parity?golden=text-tower", '[data-verified="44"] [data-pair]');
  });

  it("shows one view in another page, in that page's theme, and takes no step of its history", async () => {
    host = await hostFolder(site, path, {
      [`${path}light.html`]: post("light"),
      [`${path}dark.html`]: post("dark"),
    });
    studio.server = host;
    const page = await studio.open();
    mkdirSync(shots, { recursive: true });
    for (const theme of ["light", "dark"]) {
      await page.goto(`${host.url}${theme}.html`);
      const figure = page.frameLocator("iframe");
      await figure.locator(".status.live:not(.busy)").waitFor();
      await figure.locator(".token-matrix .cells").waitFor();
      assert.equal(await figure.locator(".view-menu, .rail, .walk").count(), 0);
      const scheme = await figure.locator("html").evaluate((root) => getComputedStyle(root).colorScheme);
      assert.equal(scheme, theme);
      writeFileSync(join(shots, `embed-${theme}.png`), await page.screenshot());
      const steps = await page.evaluate(() => history.length);
      await figure.getByRole("heading", { level: 1 }).click();
      await page.keyboard.press("n"); // a key of the whole page
      await page.keyboard.press("l");
      const link = figure.locator(`a[href="${host.url}#/attention?L=3&H=1"]`);
      await link.waitFor();
      assert.equal(await page.evaluate(() => history.length), steps);
    }
  });

  it("gives the HTML of a figure, which shows the same", async () => {
    const page = await studio.open("#/attention?L=1&H=2");
    await live(page);
    await page.keyboard.press("?");
    const code = await copiedBy(page.getByRole("button", { name: "Copy the figure's HTML" }));
    await page.goto(`${host.url}light.html`);
    await page.evaluate((html) => {
      document.body.innerHTML = html;
    }, code);
    const figure = page.frameLocator("iframe");
    await figure.locator(".token-matrix .cells").waitFor();
    assert.match(await page.frames()[1]!.evaluate(() => location.href), /\?embed=1#\/attention\?L=1&H=2$/);
  });

  it("replaces an older site as a whole, and no other folder", async () => {
    await writeFile(join(site, "of-an-older-site.js"), "");
    const files = await writeSite(site);
    const found = (await readdir(site, { recursive: true, withFileTypes: true })).filter((one) =>
      one.isFile(),
    );
    assert.deepEqual(found.length, files.length + 2); // studio.json and files.json
    assert.ok(!found.some(({ name }) => name === "of-an-older-site.js"));
    const other = join(folder, "other");
    mkdirSync(other);
    writeFileSync(join(other, "thesis.tex"), "");
    await assert.rejects(
      writeSite(other),
      /other: expected a new or empty folder, or a site; found thesis.tex/,
    );
    assert.deepEqual(await readdir(other), ["thesis.tex"]);
  });
});
