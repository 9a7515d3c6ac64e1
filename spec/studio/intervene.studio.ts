/** The studio's interventions, against lib/studio, whose calls are compared with the library in spec/studio/calls. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { sweep } from "../../lib/studio/calls/intervene.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { demoPasses, recordingContext, sampleImage } from "../support/passes.ts";
import { live, resultOf, StudioBrowser } from "../support/studio.ts";

const labels = ["one brown star", "two brown stars", "three brown stars", "four brown stars"];

describe("the studio's view Intervene", () => {
  let studio: StudioBrowser;
  before(async () => {
    studio = await StudioBrowser.start();
  });
  afterEach(() => studio.closePages());
  after(() => studio.stop());

  const address = (more: string): string =>
    `#/intervene?${new URLSearchParams({ labels: labels.join("\n"), label: labels[2]! }).toString()}&${more}`;

  it("sweeps the heads as the library does", async () => {
    const passes = await demoPasses();
    const { trace } = (await passes.image(await sampleImage("three-brown-stars"), {})).result;
    const question = { trace, labels, templates: ["{}"], label: 2, by: "zero" } as const;
    const expected = await sweep(passes, question, recordingContext());
    await passes.model.dispose();
    const page = await studio.open(address("L=3"));
    await live(page);
    await resultOf(page, 'button[aria-label="Save head-sweep.csv"]');
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.click('button[aria-label="Save head-sweep.csv"]'),
    ]);
    const text = await readFile(await download.path(), "utf8");
    const values = Float32Array.from(text.trim().split(/[\n,]/), Number);
    const { relativeL2 } = compare(
      values,
      Float32Array.from(expected.changes.flatMap((layer) => [...layer])),
    );
    assert.ok(relativeL2 <= 1e-4, `the sweep differs by ${relativeL2}`);
  });

  it("shows that the model counts two stars without head 0 of layer 3", async () => {
    const page = await studio.open(address("L=3"));
    await live(page);
    await page.waitForSelector(".effect tbody tr");
    const first = page.locator(".effect tbody tr").first();
    assert.equal(await first.locator("th").textContent(), "two brown stars");
  });

  it("traces the answer to the class token after the last block, started by the user if it takes long", async () => {
    const page = await studio.open(address("L=3&donor=s:two-red-circles"));
    await live(page);
    await resultOf(page, 'button[aria-label="Save causal-trace.csv"]');
    const readout = page.locator(".intervene-part", { hasText: "Causal trace" }).locator(".readout");
    assert.match((await readout.textContent())!, /The class token after layer 3 brings back 100\.0 %/);
  });
});
