/** The studio's view Why, against `clipscope explain`. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { SaliencyMap } from "../../lib/study/saliency/map.ts";
import { explain } from "../../lib/studio/calls/why.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { demoPasses, recordingContext, sampleImage } from "../support/passes.ts";
import { live, resultOf, StudioBrowser } from "../support/studio.ts";

const labels = ["three brown stars", "two red circles"];

describe("the studio's view Why", () => {
  let studio: StudioBrowser;
  before(async () => {
    studio = await StudioBrowser.start();
  });
  afterEach(() => studio.closePages());
  after(() => studio.stop());

  for (const method of ["gradient", "integrated", "relevance", "occlusion"] as const) {
    it(`shows the library's map: ${method}`, async () => {
      const passes = await demoPasses();
      const { trace } = (await passes.image(await sampleImage("three-brown-stars"), {})).result;
      const { map } = await explain(
        passes,
        {
          ...{ trace, labels, templates: ["{}"], label: 0, method },
          ...{ startLayer: 1, steps: 4, window: 28, stride: 14 },
        },
        recordingContext<SaliencyMap>(),
      );
      await passes.model.dispose();
      const query = new URLSearchParams({ labels: labels.join("\n"), method, from: "1", steps: "4" });
      const page = await studio.open(`#/why?${query.toString()}`);
      await live(page);
      const button = page.locator(`button[aria-label="Save why-${method}.csv"]`);
      await resultOf(page, `button[aria-label="Save why-${method}.csv"]`);
      const [download] = await Promise.all([page.waitForEvent("download"), button.click()]);
      const text = await readFile(await download.path(), "utf8");
      const values = Float32Array.from(text.trim().split(/[\n,]/), Number);
      const { relativeL2 } = compare(values, map.values);
      assert.ok(relativeL2 <= 1e-3, `the map differs by ${relativeL2}`);
    });
  }

  it("checks a map by its deletion curve, started by the user if it takes long", async () => {
    const query = new URLSearchParams({ labels: labels.join("\n"), method: "occlusion" });
    const page = await studio.open(`#/why?${query.toString()}`);
    await live(page);
    const curve = page.locator(".why-curve");
    await resultOf(page, ".why-curve .layer-chart");
    assert.match((await curve.locator(".readout").textContent())!, /the map finds what the score needs/);
  });

  it("cancels long work, and runs it again when the user starts it", async () => {
    const page = await studio.open("#/why?method=integrated&steps=32");
    await live(page);
    const result = 'button[aria-label="Save why-integrated.csv"]';
    // Before the work can end: as soon as the button is there.
    await page.evaluate(
      () =>
        new Promise<void>((resolve) => {
          const look = (): void => {
            for (const button of document.querySelectorAll<HTMLButtonElement>(".long-work button")) {
              if (button.className === "start") button.click();
              if (button.textContent !== "Cancel" || button.closest(".why-curve") !== null) continue;
              observer.disconnect();
              button.click();
              resolve();
            }
          };
          const observer = new MutationObserver(look);
          observer.observe(document.body, { childList: true, subtree: true, characterData: true });
          look();
        }),
    );
    const start = page.locator("figure", { hasText: "Integrated gradients" }).locator(".start");
    await start.waitFor();
    assert.equal(await page.locator(result).count(), 0);
    await start.click();
    await page.waitForSelector(result);
  });
});
