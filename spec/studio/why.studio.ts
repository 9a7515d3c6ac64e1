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
});
