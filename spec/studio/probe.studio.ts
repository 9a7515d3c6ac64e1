/** The studio's view Probe, against the command line's probe commands. */
import assert from "node:assert/strict";
import { copyFileSync, mkdirSync, mkdtempSync, readdirSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { writeUnseenImages } from "../../tools/demo-model/unseen-images.ts";
import { clipscope } from "../support/cli.ts";
import { live, resultOf, StudioBrowser } from "../support/studio.ts";

describe("the studio's view Probe", () => {
  let studio: StudioBrowser;
  const folder = mkdtempSync(join(tmpdir(), "clipscope-probe-"));
  const path = (...parts: string[]): string => join(folder, ...parts);

  before(async () => {
    studio = await StudioBrowser.start();
    // The default classes of the page, as folders.
    for (const file of readdirSync(`${demoModel}/samples`).filter((name) => /\.(png|jpg)$/.test(name))) {
      const name = /^(two|three|four)-/.test(file) ? "several shapes" : "one shape";
      mkdirSync(path("samples", name), { recursive: true });
      copyFileSync(`${demoModel}/samples/${file}`, path("samples", name, file));
    }
    await writeUnseenImages({ task: "fill", out: path("fill"), count: 12, seed: 1, width: 84, height: 84 });
  });
  afterEach(() => studio.closePages());
  after(async () => {
    await studio.stop();
    await rm(folder, { recursive: true });
  });

  async function json(...args: string[]): Promise<unknown> {
    const { stdout, stderr, status } = await clipscope([...args, "--json"]);
    assert.equal(status, 0, stderr);
    return JSON.parse(stdout);
  }

  async function embed(images: string, out: string, ...more: string[]): Promise<void> {
    const { status, stderr } = await clipscope(
      ["embed", "--images", path(images), "--out", path(out), "--backend", "wasm"].concat(more),
    );
    assert.equal(status, 0, stderr);
  }

  async function savedProbe(page: Page, name: string): Promise<string> {
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.getByRole("button", { name: "Save probe file" }).click(),
    ]);
    await download.saveAs(path(name));
    return path(name);
  }

  async function number(page: Page, attribute: string): Promise<number> {
    return Number(await page.locator(`[${attribute}]`).first().getAttribute(attribute));
  }

  /** The probabilities of the tray's images by name, in the order of the classes. */
  async function predicted(page: Page): Promise<Map<string, number[]>> {
    await page.waitForSelector("[data-predicted]");
    const rows = await page.locator("[data-image]").evaluateAll((all) =>
      all.map((row) => ({
        name: row.getAttribute("data-image")!,
        values: [...row.querySelectorAll("td")].map((cell) => Number(cell.getAttribute("title"))),
      })),
    );
    return new Map(rows.map(({ name, values }) => [name, values]));
  }

  /** As `probe predict` prints them. */
  async function predictedByCommand(probe: string): Promise<Map<string, Map<string, number>>> {
    const rows = (await json(
      "probe",
      "predict",
      "--probe",
      probe,
      `${demoModel}/samples`,
      "--backend",
      "wasm",
    )) as { path: string; scores: { label: string; probability: number }[] }[];
    return new Map(
      rows.map(({ path: file, scores }) => [
        file.replace(/^.*\/|\.\w+$/g, "").replaceAll("-", " "),
        new Map(scores.map(({ label, probability }) => [label, probability])),
      ]),
    );
  }

  for (const [tap, pool] of [
    ["visual", "class"],
    ["visual.transformer.resblocks.2", "mean"],
  ] as const) {
    it(`saves a probe of ${tap} that probe eval and probe predict read with equal results`, async () => {
      const page = await studio.open(`#/probe?probe=${tap}&pool=${pool}`);
      await resultOf(page, "[data-fitted] [data-layers]");
      const probe = await savedProbe(page, `${tap}.safetensors`);
      await embed(
        "samples",
        `features-${tap}.safetensors`,
        ...(tap === "visual" ? [] : ["--tap", tap, "--pool", pool]),
      );
      const features = path(`features-${tap}.safetensors`);
      const { lp_acc1: accuracy } = (await json(
        "probe",
        "eval",
        "--probe",
        probe,
        "--features",
        features,
      )) as {
        lp_acc1: number;
      };
      assert.equal(accuracy, await number(page, "data-training"));
      const shown = await predicted(page);
      const expected = await predictedByCommand(probe);
      assert.equal(shown.size, 8);
      for (const [name, values] of shown) {
        for (const [i, label] of ["one shape", "several shapes"].entries()) {
          const probability = expected.get(name)!.get(label)!;
          assert.ok(
            Math.abs(values[i]! - probability) <= 1e-5,
            `${name}, ${label}: ${values[i]}, ${probability}`,
          );
        }
      }
    });
  }

  it("measures folders as probe fit --folds does, at every layer", async () => {
    const page = await studio.open("#/probe?pool=mean");
    await live(page);
    await page.setInputFiles("[data-choose=classes]", path("fill"));
    await resultOf(page, '[data-fitted="48"] [data-layers="5"]');
    for (const layer of ["visual.transformer.resblocks.0", "visual.transformer.resblocks.3", "visual"]) {
      const features = `fill-${layer}.safetensors`;
      await embed("fill", features, ...(layer === "visual" ? [] : ["--tap", layer, "--pool", "mean"]));
      const fitted = (await json(
        ...[
          "probe",
          "fit",
          "--features",
          path(features),
          "--folds",
          "5",
          "--out",
          path("fitted.safetensors"),
        ],
      )) as { trainingAccuracy: number; folds: { accuracies: number[] } };
      const shown = Number(
        await page.locator(`[data-layer="${layer}"] [data-accuracy]`).getAttribute("data-accuracy"),
      );
      const { accuracies } = fitted.folds;
      assert.equal(accuracies.length, 5);
      const mean = accuracies.reduce((sum, accuracy) => sum + accuracy, 0) / 5;
      assert.ok(Math.abs(shown - mean) < 1e-12, `${layer}: ${shown}, probe fit ${mean}`);
    }
  });

  it("classifies with a probe of the command line, and refuses one of another model", async () => {
    await embed("samples", "own.safetensors");
    const fit = (features: string, out: string): Promise<unknown> =>
      json("probe", "fit", "--features", path(features), "--out", path(out));
    await fit("own.safetensors", "own-probe.safetensors");
    const page = await studio.open("#/probe");
    await resultOf(page, "[data-predicted]");
    await page.setInputFiles("[data-choose=probe]", path("own-probe.safetensors"));
    await page.getByRole("button", { name: "Close own-probe.safetensors" }).waitFor();
    const expected = await predictedByCommand(path("own-probe.safetensors"));
    for (const [name, [, several]] of await predicted(page)) {
      assert.ok(Math.abs(several! - expected.get(name)!.get("several shapes")!) <= 1e-5, name);
    }
    const other = path("other");
    await clipscope(["convert", demoModel, other, "--dtype", "bf16"]);
    await embed("samples", "other.safetensors", "--model", other);
    await fit("other.safetensors", "other-probe.safetensors");
    await page.getByRole("button", { name: "Close own-probe.safetensors" }).click();
    await page.setInputFiles("[data-choose=probe]", path("other-probe.safetensors"));
    await page.getByText(/other-probe\.safetensors: made with another model than the model in use/).waitFor();
  });

  it("groups the tray's images, in the address, and says what a probe needs", async () => {
    const page = await studio.open("#/probe?img=s%3Aorange-heart");
    await resultOf(page, "[data-fitted] [data-layers]");
    await page.getByRole("button", { name: "Add a class" }).click();
    await page.getByText(/the classes: 1 of the 3 classes have no rows/).waitFor();
    await page.getByRole("button", { name: "Add the current image" }).nth(2).click();
    await resultOf(page, "[data-fitted] [data-layers]");
    await page.getByText("needs two images of each class").waitFor();
    await page.reload();
    await resultOf(page, "[data-fitted] [data-layers]");
    assert.equal(await page.getByLabel("Name of class 3").inputValue(), "class 3");
    assert.equal(await page.getByRole("button", { name: "Take orange heart out of class 3" }).count(), 1);
    await page.getByRole("button", { name: "Reset" }).click();
    await page.waitForFunction(() => !location.hash.includes("classes"));
  });

  it("shows the iterations of the fit, whose loss falls", async () => {
    const page = await studio.open("#/probe");
    await resultOf(page, "[data-fitted] [data-layers]");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.locator(".probe-fit").getByRole("button", { name: "CSV" }).click(),
    ]);
    const [head, ...lines] = (await readFile(await download.path(), "utf8")).trim().split("\n");
    assert.equal(head, "iteration,loss,accuracy");
    const losses = lines.map((line) => Number(line.split(",")[1]));
    assert.ok(Math.abs(losses[0]! - Math.log(2)) < 1e-6, "two classes at zero weights");
    for (const [i, loss] of losses.entries()) assert.ok(i === 0 || loss <= losses[i - 1]! + 1e-9);
    assert.ok(losses.length > 5);
  });
});
