/** The studio's views Text and Lens, against the command line. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { FileSource } from "../../lib/node/files/file-source.ts";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import { StoredTrace } from "../../lib/trace/stored-trace.ts";
import { clipscope } from "../support/cli.ts";
import { live, StudioBrowser } from "../support/studio.ts";
import { temporaryFolder } from "../support/temporary.ts";

const image = `${demoModel}/samples/three-brown-stars.png`;

describe("the studio's views Text and Lens", () => {
  const folder = temporaryFolder();
  let studio: StudioBrowser;
  before(async () => {
    studio = await StudioBrowser.start();
  });
  afterEach(() => studio.closePages());
  after(() => studio.stop());

  /** The numbers of a CSV that the view saves. */
  async function saved(page: Page, name: string): Promise<Float32Array> {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.click(`button[aria-label="Save ${name}.csv"]`),
    ]);
    const text = await readFile(await download.path(), "utf8");
    return Float32Array.from(text.trim().split(/[\n,]/), Number);
  }

  it("show the attention of a text as trace --out writes it", async () => {
    const out = folder.file("trace.safetensors");
    const { status } = await clipscope([
      "trace",
      "--text",
      "drei braune Sterne",
      "--taps",
      "*#probabilities",
      "--out",
      out,
      "--backend",
      "wasm",
    ]);
    assert.equal(status, 0);
    const file = await SafetensorsFile.open(await FileSource.open(out));
    const trace = new StoredTrace(file);
    const tap = "text.transformer.encoder.layer.1.attention.self#probabilities";
    const [, , length = 0] = trace.taps.find(({ name }) => name === tap)!.shape;
    const head = await trace.read(tap, 2 * length * length, length * length);
    await file.close();
    const page = await studio.open("#/text?txt=drei+braune+Sterne&L=1&H=2");
    await live(page);
    await page.waitForSelector(".text-map:first-child .cells");
    const { relativeL2 } = compare(await saved(page, "attention-1-2"), head);
    assert.ok(relativeL2 <= 1e-5, `attention differs by ${relativeL2}`);
  });

  it("list all texts with their pieces, and mark what the vocabulary lacks", async () => {
    const page = await studio.open("#/text?txt=три+коричневые+звезды");
    await live(page);
    await page.waitForSelector(".token-rows .pieces .unknown");
    assert.equal(await page.locator(".token-rows tbody tr").count(), 5);
  });

  it("end the lens where classify does", async () => {
    const labels = ["three brown stars", "two red circles", "an orange heart"];
    const { stdout } = await clipscope([
      ...["classify", image, "--labels", labels.join(","), "--backend", "wasm", "--json"],
    ]);
    const [{ scores }] = JSON.parse(stdout) as [{ scores: { label: string; probability: number }[] }];
    const query = new URLSearchParams({ labels: labels.join("\n") });
    const page = await studio.open(`#/lens?${query.toString()}`);
    await live(page);
    await page.waitForSelector(".layer-chart");
    await page.waitForFunction(() => document.querySelectorAll(".lens-labels li").length === 3);
    const rows = await saved(page, "lens-probabilities");
    const last = rows.slice(-3);
    for (const { label, probability } of scores) {
      assert.ok(Math.abs(last[labels.indexOf(label)]! - probability) <= 1e-4, label);
    }
    assert.match((await page.locator(".caveat").textContent())!, /A raw lens is not a belief/);
  });
});
