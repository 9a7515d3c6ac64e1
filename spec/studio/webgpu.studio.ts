/** The studio's network on WebGPU, with Chromium's software adapter. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import type { Page } from "playwright-core";
import { live, StudioBrowser } from "../support/studio.ts";

/** SwiftShader as WebGPU's adapter, in headless Chromium. */
const softwareAdapter = [
  "--enable-unsafe-webgpu",
  "--use-webgpu-adapter=swiftshader",
  "--enable-features=Vulkan",
  "--ignore-gpu-blocklist",
];

/** Chromium's remarks on a software adapter. */
const remarks = /powerPreference|software|SwiftShader|No available adapters/i;

async function runsOn(page: Page, backend: string): Promise<void> {
  await page.waitForSelector(`.status.live:not(.busy)[title*="${backend}"]`);
}

function onWorker(page: Page, run: () => void): Promise<void> {
  const worker = page
    .workers()
    .find((one) => /worker-[^/]*\.js$/.test(one.url()) && !one.url().includes("data-"));
  assert.ok(worker);
  return worker.evaluate(run);
}

describe("the studio on webgpu", () => {
  let studio: StudioBrowser;
  before(async () => {
    studio = await StudioBrowser.start(undefined, softwareAdapter);
  });
  afterEach(() => studio.closePages(remarks));
  after(() => studio.stop());

  it("agrees with the golden at every tap to 1e-5", async () => {
    const page = await studio.open("#/parity?golden=both-towers&backend=webgpu");
    await page.waitForSelector("[data-verified]");
    await runsOn(page, "webgpu on");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.locator(".compare-actions").getByRole("button", { name: "CSV" }).click(),
    ]);
    const [, ...lines] = (await readFile(await download.path(), "utf8")).trim().split("\n");
    assert.equal(lines.length, 83);
    for (const line of lines) {
      const [name = "", relativeL2 = ""] = line.split(",");
      assert.ok(relativeL2 !== "" && Number(relativeL2) <= 1e-5, `${name}: ${relativeL2}`);
    }
  });

  it("is switched on and off beside the state of the network, and by the address", async () => {
    const page = await studio.open("#/pass");
    await live(page);
    await runsOn(page, "wasm");
    await page.getByText("GPU", { exact: true }).click();
    await runsOn(page, "webgpu on");
    assert.match(page.url(), /backend=webgpu/);
    await page.goBack();
    await runsOn(page, "wasm");
    assert.equal(await page.getByRole("switch", { name: "GPU" }).isChecked(), false);
  });

  it("continues on wasm when the device is lost, and says so", async () => {
    const page = await studio.open();
    // The specs have no other way to the device of the worker.
    await page.route(/\/worker-[^/]*\.js$/, async (route) => {
      const response = await route.fetch();
      const patch = `
        const requestDevice = GPUAdapter.prototype.requestDevice;
        GPUAdapter.prototype.requestDevice = async function (options) {
          return (globalThis.lastDevice = await requestDevice.call(this, options));
        };`;
      await route.fulfill({ response, body: patch + (await response.text()) });
    });
    await page.getByText("GPU", { exact: true }).click();
    await runsOn(page, "webgpu on");
    await onWorker(page, () => {
      (globalThis as unknown as { readonly lastDevice: GPUDevice }).lastDevice.destroy();
    });
    await page.evaluate(() => {
      // A pass that was running may have found the loss before.
      const backend = location.hash.includes("backend=webgpu") ? "&backend=webgpu" : "";
      location.hash = `#/pass?txt=a+lost+device${backend}`;
    });
    await page.waitForSelector(".notices li");
    await runsOn(page, "wasm");
    const notices = await page.locator(".notices li").allTextContents();
    assert.equal(notices.length, 1);
    assert.match(notices[0]!, /^The network runs on WebAssembly now: the GPU device was lost \(destroyed/);
    assert.doesNotMatch(page.url(), /backend=webgpu/);
    // The text that was asked for is computed.
    await page.waitForFunction(() => document.body.textContent.includes("a lost device"));
    await live(page);
  });
});

describe("the studio without a GPU", () => {
  let studio: StudioBrowser;
  before(async () => {
    studio = await StudioBrowser.start();
  });
  afterEach(() => studio.closePages(remarks));
  after(() => studio.stop());

  it("runs on wasm where webgpu was asked for, and says why", async () => {
    const page = await studio.open("#/pass?backend=webgpu");
    await live(page);
    await runsOn(page, "wasm");
    const notices = await page.locator(".notices li").allTextContents();
    assert.equal(notices.length, 1);
    assert.match(notices[0]!, /^The network runs on WebAssembly: webgpu: /);
  });
});
