/** The studio's view of the residual stream, against lib/study. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { tensor4d } from "@tensorflow/tfjs-core";
import type { Page } from "playwright-core";
import { demoModel, loadModel } from "../../lib/index.ts";
import { nodeCodecs } from "../../lib/node/images/codecs.ts";
import { preprocessImage } from "../../lib/image/preprocess.ts";
import {
  imageStream,
  stateCosines,
  textStream,
  tokenCosines,
  tokenNorms,
  type ResidualStream,
} from "../../lib/study/stream.ts";
import { compare } from "../../lib/tensor/compare.ts";
import { live, StudioBrowser } from "../support/studio.ts";

describe("the studio's view Stream", () => {
  let studio: StudioBrowser;
  before(async () => {
    studio = await StudioBrowser.start();
  });
  afterEach(() => studio.closePages());
  after(() => studio.stop());

  async function streams(): Promise<{ image: ResidualStream; text: ResidualStream }> {
    const model = await loadModel(demoModel, { backend: "wasm" });
    const file = `${demoModel}/samples/three-brown-stars.png`;
    const values = await preprocessImage(model.preprocess, nodeCodecs())(await readFile(file), file);
    const pixels = tensor4d(values, [1, 3, ...model.preprocess.size]);
    const { ids } = (await model.tokenizer()).tokenize("three brown stars");
    const both = { image: await imageStream(model, pixels), text: await textStream(model, ids) };
    pixels.dispose();
    await model.dispose();
    return both;
  }

  /** The numbers of a CSV that the view saves. */
  async function saved(page: Page, name: string): Promise<Float32Array> {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.click(`button[aria-label="Save ${name}.csv"]`),
    ]);
    const text = await readFile(await download.path(), "utf8");
    return Float32Array.from(text.trim().split(/[\n,]/), Number);
  }

  it("shows the norms and cosines of the library, in both towers", async () => {
    const expected = await streams();
    for (const tower of ["image", "text"] as const) {
      const page = await studio.open(`#/stream?tower=${tower}&state=2&tok=3`);
      await live(page);
      await page.waitForSelector(".turns .cells");
      const stream = expected[tower];
      for (const [name, values] of [
        ["token-norms", Float32Array.from(tokenNorms(stream).flatMap((row) => [...row]))],
        ["token-cosines", tokenCosines(stream, 2)],
        ["state-cosines", stateCosines(stream, 3)],
      ] as const) {
        const { relativeL2 } = compare(await saved(page, name), values);
        assert.ok(relativeL2 <= 1e-5, `${tower}: ${name} differs by ${relativeL2}`);
      }
    }
  });

  it("chooses a state and a token by keys, and keeps them in the address", async () => {
    const page = await studio.open("#/stream?state=2&tok=3");
    await live(page);
    await page.focus(".stream-map .cells");
    await page.keyboard.press("ArrowDown");
    await page.keyboard.press("ArrowRight");
    await page.waitForFunction(() => location.hash === "#/stream?tok=4&state=3");
    await page.waitForFunction(() => document.querySelector(".similar h2")?.textContent.includes("column 4"));
  });
});
