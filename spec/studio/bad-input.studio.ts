/** Bad input: a clear notice, the rest keeps working, nothing is lost. Other rows: parity.studio.ts, server.studio.ts. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { crc32, deflateSync } from "node:zlib";
import type { Page } from "playwright-core";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { eventually, hasText, live, StudioBrowser } from "../support/studio.ts";

/** A gray PNG of one bit per pixel: few bytes, however many pixels. */
function blankPng(width: number, height: number): Buffer {
  const header = Buffer.alloc(13);
  header.writeUInt32BE(width, 0);
  header.writeUInt32BE(height, 4);
  header[8] = 1; // bits per pixel
  const rows = Buffer.alloc(height * (1 + Math.ceil(width / 8)), 0x55);
  for (let y = 0; y < height; y++) rows[y * (1 + Math.ceil(width / 8))] = 0; // no filter
  const chunk = (type: string, data: Buffer): Buffer => {
    const body = Buffer.concat([Buffer.from(type, "latin1"), data]);
    const whole = Buffer.alloc(body.length + 8);
    whole.writeUInt32BE(data.length, 0);
    whole.set(body, 4);
    whole.writeUInt32BE(crc32(body), body.length + 4);
    return whole;
  };
  const signature = Buffer.from("\x89PNG\r\n\x1a\n", "latin1");
  return Buffer.concat([
    signature,
    chunk("IHDR", header),
    chunk("IDAT", deflateSync(rows)),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

describe("the studio and bad input", () => {
  let studio: StudioBrowser;
  before(async () => {
    studio = await StudioBrowser.start();
  });
  afterEach(() => studio.closePages());
  after(() => studio.stop());

  const png = (name: string, buffer: Buffer) => ({ name, mimeType: "image/png", buffer });
  const files = (page: Page) => page.locator("input[type=file][accept*=image]").first();
  const score = async (page: Page): Promise<string> => {
    await live(page);
    return (await page.locator(".result .number").first().textContent())!;
  };

  it("keeps the pass it shows when a file is not an image", async () => {
    const page = await studio.open("#/pass?img=s%3Atwo-red-circles");
    const before = await score(page);
    await files(page).setInputFiles(png("notes.png", Buffer.from("not an image")));
    await page.getByText(/^notes\.png: expected an image/).waitFor();
    await page.getByRole("button", { name: "two red circles", exact: true }).click();
    await eventually(async () => {
      assert.equal(await score(page), before);
    });
    assert.equal(await page.getByRole("button", { name: "Remove notes.png" }).count(), 0);
  });

  it("takes an image of 100 megapixels", async () => {
    const page = await studio.open("#/pass");
    await live(page);
    await files(page).setInputFiles(png("large.png", blankPng(10_000, 10_000)));
    await page.waitForFunction(() => location.hash.includes("img=sha"));
    await live(page);
    await page.getByAltText("Current image: large.png").waitFor();
    assert.equal(await page.locator(".notices li").count(), 0);
  });

  it("asks for a text where it is empty", async () => {
    const page = await studio.open("#/pass");
    await live(page);
    const texts = page.locator(".texts li");
    const count = await texts.count();
    await page.getByLabel("New text").fill("   ");
    await page.keyboard.press("Enter");
    await page.getByText("The text is empty").waitFor();
    assert.equal(await texts.count(), count);
  });

  for (const [hash, heading, ...problems] of [
    ["#//", "Pass", 'There is no view "/"; this is the view "pass".'],
    ["#/pass?txt=", "Pass", 'txt: expected a text, found "".'],
    ["#/text?txt=%E0%A4%A", "Text", 'txt: expected a text, found "\ufffd%A".'],
    [
      "#/match?labels=&score=best",
      "Match",
      'labels: expected labels, one a line, found "".',
      /^score: expected one of/,
    ],
    [
      "#/attention?H=-1&tok=1e9",
      "Attention",
      /^H: expected a whole number or mean/,
      /^tok: expected a whole number/,
    ],
    [
      "#/compare?side.a=file%3A&b.img=x",
      "Compare",
      /^b\.img: expected s:NAME or sha:HEX/,
      /^side\.a: expected/,
    ],
    ["#/probe?classes=%09%09&C=0", "Probe", /^classes: expected/, /^C: expected/],
  ] as const) {
    it(`shows a view with a notice for the damaged address ${hash}`, async () => {
      const page = await studio.open(hash);
      await live(page);
      await hasText(page.locator("h1"), heading);
      const notices = page.locator(".notices li span");
      for (const problem of problems) await notices.getByText(problem).waitFor();
      assert.equal(await notices.count(), problems.length);
      assert.equal(await page.locator(".current-image").count(), 1);
    });
  }

  it("works in two tabs that share the images of the user", async () => {
    const first = await studio.open("#/pass");
    await live(first);
    const heart = await readFile(`${demoModel}/samples/orange-heart.jpg`);
    await files(first).setInputFiles({ name: "heart.jpg", mimeType: "image/jpeg", buffer: heart });
    await first.getByAltText("Current image: heart.jpg").waitFor();
    const shown = await score(first);
    const second = await studio.openBeside(first, await first.evaluate(() => location.hash));
    await second.getByAltText("Current image: heart.jpg").waitFor();
    await eventually(async () => {
      assert.equal(await score(second), shown);
    });
    await second.getByRole("button", { name: "Remove heart.jpg" }).click();
    await second.getByAltText("Current image: three brown stars").waitFor();
    // The first tab still has the image, and computes with it.
    await first.getByRole("button", { name: "two red circles", exact: true }).click();
    await first.getByAltText("Current image: two red circles").waitFor();
    await first.getByRole("button", { name: "heart.jpg", exact: true }).click();
    await first.getByAltText("Current image: heart.jpg").waitFor();
    await eventually(async () => {
      assert.equal(await score(first), shown);
    });
    await hasText(first.locator("h1"), "Pass");
  });
});
