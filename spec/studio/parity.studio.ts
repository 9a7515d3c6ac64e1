/** The studio's view Parity, against `verify --json`. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { clipscope } from "../support/cli.ts";
import { fixture } from "../support/paths.ts";
import { copiedBy, live, StudioBrowser } from "../support/studio.ts";

interface Figures {
  readonly name: string;
  readonly relativeL2: number | null;
  readonly maxAbs: number | null;
  readonly cosine: number | null;
  readonly ratio?: number;
  readonly passed: boolean;
}

describe("the studio's view Parity", () => {
  let studio: StudioBrowser;
  const folder = mkdtempSync(join(tmpdir(), "clipscope-parity-"));
  before(async () => {
    studio = await StudioBrowser.start();
  });
  afterEach(() => studio.closePages());
  after(async () => {
    await studio.stop();
    await rm(folder, { recursive: true });
  });

  async function verified(golden: string, ...more: string[]): Promise<{ taps: Figures[]; stdout: string }> {
    const { stdout } = await clipscope([
      "verify",
      "--golden",
      golden,
      "--backend",
      "wasm",
      "--json",
      ...more,
    ]);
    return { taps: (JSON.parse(stdout) as { taps: Figures[] }).taps, stdout };
  }

  async function shown(page: Page): Promise<Figures[]> {
    await page.waitForSelector("[data-verified]");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.locator(".compare-actions").getByRole("button", { name: "CSV" }).click(),
    ]);
    const [, ...lines] = (await readFile(await download.path(), "utf8")).trim().split("\n");
    const number = (text = ""): number | null => (text === "" ? null : Number(text));
    return lines.map((line) => {
      const [name = "", relativeL2, maxAbs, cosine, ratio = "", passed] = line.split(",");
      return {
        name,
        relativeL2: number(relativeL2),
        maxAbs: number(maxAbs),
        cosine: number(cosine),
        ...(ratio !== "" && { ratio: Number(ratio) }),
        passed: passed === "true",
      };
    });
  }

  it("shows the figures of verify for the page's goldens, end to end and isolated", async () => {
    for (const [golden, isolated] of [
      ["both-towers", false],
      ["text-tower", false],
      ["text-tower", true],
    ] as const) {
      const { taps } = await verified(
        `${demoModel}/goldens/${golden}.safetensors`,
        ...(isolated ? ["--isolated"] : []),
      );
      const page = await studio.open(`#/parity?golden=${golden}${isolated ? "&isolated=on" : ""}`);
      assert.deepEqual(await shown(page), taps, golden);
      const badge = await page.locator(".compare-summary b").first().textContent();
      assert.equal(badge, "Passed");
    }
  });

  for (const name of readdirSync(fixture("tiny"))) {
    it(`shows the figures of verify for the dropped model ${name} and its golden`, async () => {
      const golden = fixture(`tiny/${name}/golden.safetensors`);
      const { taps } = await verified(golden, "--model", fixture(`tiny/${name}`));
      const page = await studio.open("#/parity");
      await live(page);
      await page.setInputFiles("[data-choose=model]", fixture(`tiny/${name}`));
      await page.locator(".parity-settings .segmented", { hasText: name }).waitFor();
      await page.setInputFiles("[data-choose=golden]", golden);
      await page.waitForFunction(() => location.hash.includes("golden=file"));
      assert.deepEqual(await shown(page), taps);
      await page.waitForSelector("[data-pair]");
    });
  }

  it("shows both values at the worst position of a chosen value", async () => {
    const page = await studio.open("#/parity?golden=text-tower");
    const { taps } = await verified(`${demoModel}/goldens/text-tower.safetensors`);
    const tap = taps.find(({ name }) => name === "text.transformer.encoder.layer.1.output")!;
    await page.locator(`[data-row="${tap.name}"] button`).click();
    await page.waitForSelector(`[data-pair="${tap.name}"]`);
    const [ours, golden] = await page
      .locator(".pair .figures tbody tr")
      .first()
      .locator("td[title]")
      .evaluateAll((cells) => cells.map((cell) => Number(cell.getAttribute("title"))));
    const difference = Math.abs(ours! - golden!);
    assert.ok(
      Math.abs(difference - tap.maxAbs!) <= 1e-6 * tap.maxAbs!,
      `${difference}, verify ${tap.maxAbs}`,
    );
  });

  it("opens a report of verify --json", async () => {
    const { taps, stdout } = await verified(
      fixture("tiny/plain/golden.safetensors"),
      "--model",
      fixture("tiny/plain"),
    );
    const page = await studio.open("#/parity");
    await live(page);
    const report = { name: "report.json", mimeType: "application/json", buffer: Buffer.from(stdout) };
    await page.setInputFiles("[data-choose=golden]", report);
    await page.getByText("A report has figures only.").waitFor();
    assert.deepEqual(await shown(page), taps);
    const broken = {
      ...report,
      name: "broken.json",
      buffer: Buffer.from('{"taps": [{}], "worst": 1, "passed": true}'),
    };
    await page.setInputFiles("[data-choose=golden]", broken);
    await page.getByText(/^broken\.json: .*taps\[0\]\.name/).waitFor();
  });

  it("names both models for the golden of another one", async () => {
    const page = await studio.open("#/parity");
    await live(page);
    for (const [name, reason] of [
      ["plain", "made with images of"],
      ["bert-pooler", "made with images of"],
    ] as const) {
      await page.setInputFiles("[data-choose=golden]", {
        name: `${name}.safetensors`,
        mimeType: "",
        buffer: await readFile(fixture(`tiny/${name}/golden.safetensors`)),
      });
      const notice = page.locator(".inline-problem", { hasText: `${name}.safetensors` });
      await notice.waitFor();
      const text = (await notice.textContent())!;
      assert.ok(text.includes(reason), text);
      assert.ok(text.includes(`was made with fixtures/tiny/${name}; the network here is Demo model.`), text);
    }
  });

  it("restores its selection from the address, and copies the command", async () => {
    const page = await studio.open("#/parity?golden=text-tower&isolated=on&tap=text.pooler");
    await page.waitForSelector('[data-pair="text.pooler"]');
    const button = page.locator(".compare-actions").getByRole("button", { name: "Copy command" });
    assert.equal(
      await copiedBy(button),
      "node bin/clipscope.js verify --golden fixtures/demo-model/goldens/text-tower.safetensors --isolated",
    );
  });
});
