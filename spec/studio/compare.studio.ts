/** The studio's view Compare, against the command line's trace and diff. */
import assert from "node:assert/strict";
import { mkdtempSync } from "node:fs";
import { readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { crc32 } from "node:zlib";
import type { Page } from "playwright-core";
import { decodeImage } from "../../lib/image/decode.ts";
import { nodeCodecs } from "../../lib/node/images/codecs.ts";
import { demoModel } from "../../lib/node/models/model-directory.ts";
import { clipscope } from "../support/cli.ts";
import { copiedBy, live, StudioBrowser } from "../support/studio.ts";

const sample = (name: string): string => `${demoModel}/samples/${name}.png`;

interface Row {
  readonly tap: string;
  readonly relativeL2: number | null;
}

/** The beginning of a PNG of `size` × `size` pixels. */
function hugePng(size: number): Buffer {
  const head = Buffer.alloc(33);
  head.write("\x89PNG\r\n\x1a\n", "latin1");
  head.writeUInt32BE(13, 8);
  head.write("IHDR", 12, "latin1");
  head.writeUInt32BE(size, 16);
  head.writeUInt32BE(size, 20);
  head.set([8, 2, 0, 0, 0], 24);
  head.writeUInt32BE(crc32(head.subarray(12, 29)), 29);
  return head;
}

describe("the studio's view Compare", () => {
  let studio: StudioBrowser;
  /** For all specs: later ones drop what earlier ones wrote. */
  const folder = mkdtempSync(join(tmpdir(), "clipscope-compare-"));
  const path = (name: string): string => join(folder, name);
  before(async () => {
    studio = await StudioBrowser.start();
    await trace(path("a.safetensors"), "three-brown-stars", "three brown stars");
    await trace(path("b.safetensors"), "two-red-circles", "zwei rote Kreise in der Mitte");
  });
  afterEach(() => studio.closePages());
  after(async () => {
    await studio.stop();
    await rm(folder, { recursive: true });
  });

  async function trace(out: string, image: string, text: string, ...more: string[]): Promise<void> {
    const inputs = ["--image", sample(image), "--text", text, "--taps", "*", "--taps", "*#*"];
    const { status, stderr } = await clipscope([
      "trace",
      ...inputs,
      "--out",
      out,
      "--backend",
      "wasm",
      ...more,
    ]);
    assert.equal(status, 0, stderr);
  }

  /** What `diff --json` prints: the relative L2 of each tap, null where the shapes differ. */
  async function diff(a: string, b: string): Promise<Map<string, number | null>> {
    const { stdout } = await clipscope(["diff", a, b, "--json"]);
    const { tensors } = JSON.parse(stdout) as { tensors: { name: string; relativeL2: number | null }[] };
    return new Map(tensors.map(({ name, relativeL2 }) => [name, relativeL2]));
  }

  async function compared(page: Page): Promise<Row[]> {
    await page.waitForSelector("[data-compared]");
    const [download] = await Promise.all([
      page.waitForEvent("download"),
      page.locator(".compare-actions").getByRole("button", { name: "CSV" }).click(),
    ]);
    const [, ...lines] = (await readFile(await download.path(), "utf8")).trim().split("\n");
    return lines.map((line) => {
      const [tap = "", relativeL2 = ""] = line.split(",");
      return { tap, relativeL2: relativeL2 === "" ? null : Number(relativeL2) };
    });
  }

  /** The figures agree where they are larger than what two builds of one backend differ by. */
  function agrees(rows: readonly Row[], expected: ReadonlyMap<string, number | null>, within: number): void {
    assert.deepEqual(rows.map(({ tap }) => tap).toSorted(), [...expected.keys()].toSorted());
    for (const { tap, relativeL2 } of rows) {
      const figure = expected.get(tap) ?? null;
      if (figure === null) assert.equal(relativeL2, null, tap);
      else
        assert.ok(
          Math.abs(relativeL2! - figure) <= within * (1 + figure),
          `${tap}: ${relativeL2}, diff ${figure}`,
        );
    }
  }

  it("shows the figures of trace and diff for pinned inputs, at every tap", async () => {
    const page = await studio.open(
      "#/compare?img=s%3Athree-brown-stars&txt=three+brown+stars&b.img=s%3Atwo-red-circles" +
        "&b.txt=zwei+rote+Kreise+in+der+Mitte",
    );
    await live(page);
    const expected = await diff(path("a.safetensors"), path("b.safetensors"));
    assert.ok(
      [...expected.values()].includes(null),
      "texts of different lengths have taps of different shapes",
    );
    agrees(await compared(page), expected, 1e-5);
  });

  it("pins by keys, in the address, and says what is missing", async () => {
    const page = await studio.open("#/compare?img=s%3Athree-brown-stars");
    await live(page);
    await page.getByText("Nothing is pinned yet").waitFor();
    await page.keyboard.press("b");
    await page.getByText("All are equal.").waitFor();
    await page.keyboard.press("]");
    await page.getByText("Largest relative L2").waitFor();
    assert.match(await page.evaluate(() => location.hash), /b\.img=s%3Athree-brown-stars/);
    await page.keyboard.press("Shift+B");
    await page.waitForFunction(() => location.hash.includes("b.txt="));
    await page.reload();
    await live(page);
    await page.getByText("Largest relative L2").waitFor();
    assert.equal(await page.getByRole("button", { name: "three brown stars, pinned as B" }).count(), 1);
  });

  it("moves one cursor over both maps, and shows both values", async () => {
    const page = await studio.open("#/compare?b.img=s%3Atwo-red-circles&tap=visual.ln_post");
    await live(page);
    await page.waitForSelector('[data-pair="visual.ln_post"]');
    const [a, b] = [page.locator(".pair .cells").nth(0), page.locator(".pair .cells").nth(1)];
    await a.focus();
    await page.keyboard.press("ArrowDown");
    const places = await Promise.all(
      [a, b].map((map) => map.locator(".cursor").evaluate((cursor) => cursor.getAttribute("style"))),
    );
    assert.equal(places[0], places[1]);
    assert.match((await page.locator(".pair .readout").textContent())!, /A .+ · B .+ · A − B /);
    const [png] = await Promise.all([
      page.waitForEvent("download"),
      page.locator(".pair").getByRole("button", { name: "PNG" }).click(),
    ]);
    const drawn = await decodeImage(await readFile(await png.path()), "pair.png", nodeCodecs());
    assert.ok(drawn.width > 3 * 420, "three maps side by side");
  });

  it("compares with dropped traces and goldens, and two files with each other", async () => {
    const page = await studio.open("#/compare?img=s%3Athree-brown-stars&txt=three+brown+stars");
    await live(page);
    await page.setInputFiles("[data-choose=trace]", path("a.safetensors"));
    await page.waitForSelector("[data-compared]");
    const own = await compared(page);
    for (const { tap, relativeL2 } of own) assert.ok(relativeL2! <= 1e-5, `${tap}: ${relativeL2}`);
    await page.setInputFiles("[data-choose=trace]", path("b.safetensors"));
    await page.waitForFunction(() => location.hash.includes("side.a=file%3Ab.safetensors"));
    const expected = await diff(path("b.safetensors"), path("a.safetensors"));
    agrees(await compared(page), expected, 1e-12);
  });

  it("compares two checkpoints of different dtype; the worst tap is that of diff", async () => {
    const half = path("half");
    const converted = await clipscope(["convert", demoModel, half, "--dtype", "bf16"]);
    assert.equal(converted.status, 0, converted.stderr);
    await trace(path("f32.safetensors"), "three-brown-stars", "three brown stars");
    await trace(path("bf16.safetensors"), "three-brown-stars", "three brown stars", "--model", half);
    const expected = await diff(path("f32.safetensors"), path("bf16.safetensors"));
    const page = await studio.open("#/compare?img=s%3Athree-brown-stars&txt=three+brown+stars&side.b=model");
    await live(page);
    await page.getByText("No other model is open.").waitFor();
    await page.setInputFiles("[data-choose=model]", half);
    const rows = await compared(page);
    agrees(rows, expected, 1e-5);
    const [worst] = [...expected].sort(([, a], [, b]) => b! - a!);
    assert.ok(worst![1]! > 1e-5, "rounding to bfloat16 changes the values");
    const shown = await page.locator("[data-worst]").first().getAttribute("data-worst");
    assert.equal(shown, worst![0]);
    console.log(`      worst tap ${shown}, relative L2 ${worst![1]!.toExponential(2)}`);
  });

  it("says what is wrong with a file that it cannot open", async () => {
    const page = await studio.open("#/compare");
    await live(page);
    const cut = (await readFile(path("a.safetensors"))).subarray(0, 20_000);
    const notices = page.locator(".notices li span");
    for (const [name, buffer, pattern] of [
      ["cut.safetensors", cut, /^cut\.safetensors: not a valid safetensors file: .*cut short/],
      ["notes.txt", Buffer.from("hello"), /^notes\.txt: expected an image, a trace, golden/],
      ["other.json", Buffer.from("{}"), /^other\.json: expected .*; found other JSON/],
      [
        "weights.safetensors",
        await readFile(`${demoModel}/open_clip_model.safetensors`),
        /^weights\.safetensors: expected activations, found weights; drop the model directory/,
      ],
    ] as const) {
      await page.setInputFiles("[data-choose=trace]", { name, mimeType: "", buffer });
      await page.getByText(pattern).waitFor();
      await page.getByRole("button", { name: "Dismiss" }).click();
    }
    assert.equal(await notices.count(), 0);
  });

  it("takes files that are dropped on the page, and refuses an image of 400 megapixels", async () => {
    const page = await studio.open("#/pass?img=s%3Athree-brown-stars&txt=three+brown+stars");
    await live(page);
    const drop = (name: string, bytes: Buffer): Promise<void> =>
      page.evaluate(
        ([file, base64]) => {
          const data = new DataTransfer();
          data.items.add(new File([Uint8Array.from(atob(base64!), (c) => c.charCodeAt(0))], file!));
          document.body.dispatchEvent(
            new DragEvent("drop", { dataTransfer: data, bubbles: true, cancelable: true }),
          );
        },
        [name, bytes.toString("base64")],
      );
    await drop("a.safetensors", await readFile(path("a.safetensors")));
    for (const { tap, relativeL2 } of await compared(page)) assert.ok(relativeL2! <= 1e-5, tap);
    await drop("huge.png", hugePng(20_000));
    await page.getByText(/^huge\.png: expected at most \d+ pixels, found 20000 x 20000/).waitFor();
    await page.waitForSelector("[data-compared]");
  });

  it("copies commands that print the comparison", async () => {
    const page = await studio.open("#/compare?b.img=s%3Atwo-red-circles");
    await page.waitForSelector("[data-compared]");
    const button = page.locator(".compare-actions").getByRole("button", { name: "Copy command" });
    const command = await copiedBy(button);
    assert.match(
      command,
      /^node bin\/clipscope\.js trace --image \S+ --text .* --out a\.safetensors && .* diff /,
    );
  });
});
