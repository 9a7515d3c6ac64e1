/** The views of checks and data where a server runs the network: files are read in the page all the same. */
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { clipscope } from "../support/cli.ts";
import { serveNetwork } from "../support/studio-network.ts";
import { resultOf, StudioBrowser } from "../support/studio.ts";

describe("the studio's views of data, with the network in the server", () => {
  let studio: StudioBrowser;
  const folder = mkdtempSync(join(tmpdir(), "clipscope-server-"));
  before(async () => {
    studio = await StudioBrowser.start(() => serveNetwork({ parent: folder }));
  });
  afterEach(() => studio.closePages());
  after(async () => {
    await studio.stop();
    await rm(folder, { recursive: true });
  });

  it("compares pinned inputs", async () => {
    const page = await studio.open("#/compare?b.img=s%3Atwo-red-circles");
    await page.waitForSelector('[data-compared="108"] [data-pair]');
  });

  it("verifies a golden, and shows both sides", async () => {
    const page = await studio.open("#/parity?golden=text-tower&isolated=on");
    await page.waitForSelector('[data-verified="44"] [data-pair]');
    assert.equal(await page.locator(".compare-summary b").first().textContent(), "Passed");
  });

  it("fits a probe, and classifies with it", async () => {
    const page = await studio.open("#/probe");
    await resultOf(page, '[data-fitted="8"] [data-layers="5"]');
    await page.waitForSelector("[data-predicted]");
  });

  it("searches a features file", async () => {
    const file = join(folder, "features.safetensors");
    await clipscope(["embed", "--images", `${demoModel}/samples`, "--out", file, "--backend", "wasm"]);
    const page = await studio.open("#/search?q=zwei+rote+Kreise");
    await page.setInputFiles("[data-choose=features]", file);
    await page.getByText("features.safetensors", { exact: true }).waitFor();
    await page.waitForSelector('[data-found="8"]');
    const best = await page.locator(".search-results button").first().getAttribute("data-path");
    assert.ok(best!.endsWith("two-red-circles.png"));
  });
});
