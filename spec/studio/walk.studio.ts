/** The walk in the page: each step shows what it is about. Its claims are measured in spec/web/walk/steps.spec.ts. */
import assert from "node:assert/strict";
import type { Page } from "playwright-core";
import { steps } from "../../web/walk/steps.ts";
import { eventually, hasText, live, StudioBrowser } from "../support/studio.ts";

/** What the marked part says at some steps, as their texts do. */
const said: Readonly<Record<string, RegExp>> = {
  "An image becomes 36 patches": /1 × 37 × 96/,
  "Heads attend to different patches":
    /Layer 3, head 2.*attends most to the patch in row 5, column 5: 0\.[5-9]/s,
  "Some heads attend to the background": /Layer 3, head 0/,
  "A text becomes tokens": /<s>threebrownstars<\/s>/,
  "The number has the largest share": /three27\.\d %/,
  "Languages share one embedding": /“three” is most like “drei”/,
  "The count appears in the last block": /three brown stars9\d\.\d %/,
  "Where the model counts to three": /^labelunchangedreplacedlogittwo brown stars/,
};

interface Place {
  readonly isMarked: boolean;
  /** Of the part's first pixels: whether another thing lies over them, as a header or the panel would. */
  readonly isCovered: boolean;
  readonly text: string;
}

async function marked(page: Page): Promise<Place> {
  return page.evaluate(() => {
    const target = document.querySelector("[data-walk-target]");
    if (target === null) return { isMarked: false, isCovered: true, text: "" };
    const { left, top, width } = target.getBoundingClientRect();
    const hit = document.elementFromPoint(left + width / 2, top + 20);
    return {
      isMarked: true,
      isCovered: !target.contains(hit),
      text: target.textContent,
    };
  });
}

describe("the studio's walk", () => {
  let studio: StudioBrowser;
  before(async () => {
    studio = await StudioBrowser.start();
  });
  afterEach(() => studio.closePages());
  after(() => studio.stop());

  for (const width of [1280, 360]) {
    it(`goes through all steps by the keyboard, and shows what they are about, ${width} px`, async () => {
      const page = await studio.open("", { viewport: { width, height: 860 }, reducedMotion: "reduce" });
      await live(page);
      for (const { title, route } of steps) {
        await page.keyboard.press("w");
        await hasText(page.locator(".walk h2"), title);
        await page.waitForSelector(`.${route.view!}-view`);
        await eventually(async () => {
          const { isMarked, isCovered, text } = await marked(page);
          assert.ok(isMarked, `${title}: nothing is marked`);
          assert.ok(!isCovered, `${title}: the marked part is covered`);
          assert.match(text, said[title] ?? /./, title);
        });
      }
      await page.getByRole("button", { name: "Done" }).click();
      await page.waitForSelector(".walk", { state: "detached" });
      assert.equal(await page.locator("[data-walk-target]").count(), 0);
    });
  }

  it("is reached from the first view, keeps its step in the address, and goes back", async () => {
    const page = await studio.open();
    await live(page);
    await page.getByRole("button", { name: "walk through the network" }).click();
    await hasText(page.locator(".walk h2"), steps[0]!.title);
    await page.getByRole("button", { name: "Next" }).click();
    await hasText(page.locator(".walk h2"), steps[1]!.title);
    await page.reload();
    await hasText(page.locator(".walk h2"), steps[1]!.title);
    await page.goBack();
    await hasText(page.locator(".walk h2"), steps[0]!.title);
    await page.getByRole("button", { name: "End the walk" }).click();
    await page.waitForSelector(".walk", { state: "detached" });
  });
});
