/** The page over the local server: the same views and numbers, progress, the queue, a server that goes away. */
import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmdirSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Page } from "playwright-core";
import type { StudioServer } from "../../lib/node/studio-server/server.ts";
import { live, shots, StudioBrowser } from "../support/studio.ts";
import { serveNetwork } from "../support/studio-network.ts";

/** What a view shows in numbers. */
async function numbersOf(page: Page, view: string): Promise<readonly string[]> {
  await page.evaluate((to) => {
    location.hash = to;
  }, `#/${view}`);
  await page.waitForSelector(`.${view}-view`);
  if (view === "match") await page.waitForSelector(".match-matrix tbody tr");
  if (view === "attention") await page.waitForSelector(".token-matrix .cells");
  if (view === "text") await page.waitForSelector(".text-map:last-child .cells");
  if (view === "stream") await page.waitForSelector(".turns .cells");
  if (view === "weights") await page.waitForSelector(".weights-part .histogram");
  await live(page);
  const shown = await page.locator("main").innerText();
  return shown.match(/-?\d+(\.\d+)?/g) ?? [];
}

/** Equal, or apart by one in the last digit that is shown. */
function assertSameNumbers(found: readonly string[], expected: readonly string[], view: string): void {
  assert.equal(found.length, expected.length, view);
  for (const [i, number] of found.entries()) {
    const last = 10 ** -(expected[i]!.split(".")[1]?.length ?? 0);
    const isWhole = last === 1;
    const difference = Math.abs(Number(number) - Number(expected[i]));
    assert.ok(difference <= (isWhole ? 0 : 1.01 * last), `${view}: ${number}, expected ${expected[i]!}`);
  }
}

describe("the studio over its server", () => {
  const parent = mkdtempSync(join(tmpdir(), "clipscope-spec-"));
  const pace = { milliseconds: 0, isHeld: false };
  let server: StudioServer;
  let studio: StudioBrowser;
  let expected = /^$/;
  before(async () => {
    studio = await StudioBrowser.start(async () => {
      server = await serveNetwork({ parent, pace });
      return server;
    });
  });
  afterEach(async () => {
    run();
    await studio.closePages(expected);
    expected = /^$/;
  });
  /** Passes take seconds, and do not end before `run`. */
  const hold = (): void => {
    Object.assign(pace, { milliseconds: 500, isHeld: true });
  };
  const run = (): void => {
    Object.assign(pace, { milliseconds: 0, isHeld: false });
  };
  after(async () => {
    await studio.stop();
    assert.deepEqual(readdirSync(parent), [], "the spool is deleted");
    rmdirSync(parent);
  });

  it("shows the numbers that the page computes itself, in every view without long work", async () => {
    const page = await studio.open();
    await live(page);
    const address = await page.evaluate(() => location.href);
    assert.ok(!address.includes("t="), "the token is taken out of the address");
    assert.match((await page.locator(".status").textContent())!, /live · demo-model · wasm ·/);
    assert.equal(
      await page.getByRole("button", { name: "walk through" }).count(),
      0,
      "the walk is the page's",
    );
    const alone = await StudioBrowser.start();
    try {
      const other = await alone.open();
      await live(other);
      for (const view of ["pass", "attention", "text", "stream", "weights", "match"]) {
        const found = await numbersOf(page, view);
        assert.ok(found.length > 3, view);
        assertSameNumbers(found, await numbersOf(other, view), view);
      }
      await alone.closePages();
    } finally {
      await alone.stop();
    }
  });

  it("fills the cards while a long pass runs, says which block runs, and stops when it is told to", async () => {
    const page = await studio.open();
    await live(page);
    hold();
    await page.keyboard.press("]");
    await page.waitForSelector(".status progress");
    const status = page.locator(".status");
    assert.match((await status.textContent())!, /block \d of 4/);
    const cards = async (): Promise<number> => page.locator(".card.image.block").count();
    assert.ok((await cards()) < 4, "cards appear as blocks finish");
    assert.equal(await page.locator(".result.stale").count(), 1, "the similarity of the pass before says so");
    await page.screenshot({ path: `${shots}/server-progress.png` });
    await status.getByRole("button", { name: "Cancel the pass" }).click();
    await page.waitForSelector(".status progress", { state: "detached" });
    assert.equal(await cards(), 4, "the pass before is shown again");
    run();
    await page.keyboard.press("]");
    await live(page);
  });

  it("lets two tabs take turns, and tells the second one its place", async () => {
    const [first, second] = [await studio.open(), await studio.open()];
    await Promise.all([live(first), live(second)]);
    hold();
    await first.keyboard.press("[");
    await first.waitForSelector(".status progress");
    await second.keyboard.press("]");
    await second.keyboard.press("]");
    await second.waitForSelector(".status:has-text('waiting, 1 before this')");
    await second.screenshot({ path: `${shots}/server-queue.png` });
    run();
    await Promise.all([live(first), live(second)]);
  });

  it("keeps what it has when the server goes away in the middle of a pass, and goes on with the next server", async () => {
    expected = /ERR_CONNECTION|ERR_INCOMPLETE|ERR_EMPTY_RESPONSE|Failed to load resource|status 401/;
    const page = await studio.open("#/pass?tap=visual.transformer.resblocks.2.attn");
    await live(page);
    const shown = await page.locator(".result .number").first().textContent();
    hold();
    await page.keyboard.press("]");
    await page.waitForSelector(".status progress");
    const closed = server.close();
    run();
    await closed;
    await page.waitForSelector(".status.failed:has-text('server gone')");
    await page.waitForSelector(".notices :text('The server does not answer')");
    assert.equal(await page.locator(".result .number").first().textContent(), shown);
    const images = await page.locator(".rail .image-tray button img").count();
    await page.screenshot({ path: `${shots}/server-gone.png` });

    server = await serveNetwork({ parent, pace, port: Number(new URL(studio.url).port) });
    studio.server = server;
    await page.waitForSelector(".notices :text('does not know this page')");
    const before = await page.evaluate(() => location.hash);
    await page.goto(studio.url + studio.token);
    await live(page);
    assert.equal(await page.evaluate(() => location.hash), before, "the selection stays");
    assert.equal(await page.locator(".rail .image-tray button img").count(), images, "no image was dropped");
  });

  it("refuses a page without the token, and says what to open", async () => {
    expected = /status 401|Failed to load resource/;
    const page = await studio.open();
    await live(page);
    await page.evaluate(() => {
      sessionStorage.clear();
    });
    await page.goto(studio.url);
    await page.reload();
    await page.waitForSelector(".notices :text('open the address that clipscope studio has printed')");
  });
});
