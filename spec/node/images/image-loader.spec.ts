import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { readFile, writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { parsePreprocessConfig } from "../../../lib/clip/config/preprocess-config.ts";
import { nodeCodecs } from "../../../lib/node/images/codecs.ts";
import { imageLoader } from "../../../lib/node/images/image-loader.ts";
import type { LoadedImage } from "../../../lib/tasks/embed-images.ts";
import { InputError } from "../../../lib/errors/input-error.ts";
import { fixture } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const config = parsePreprocessConfig({}, 32, "x");
const names = [
  "png-rgb8.png",
  "jpeg-420.jpg",
  "webp-lossy.webp",
  "gif-palette.gif",
  "tiff-lzw.tif",
  "bmp-rgb.bmp",
];
const paths = names.map((name) => fixture(`images/${name}`));

async function collect(loaded: AsyncIterable<LoadedImage>): Promise<LoadedImage[]> {
  const items: LoadedImage[] = [];
  for await (const item of loaded) items.push(item);
  return items;
}

describe("imageLoader", () => {
  const folder = temporaryFolder();

  it("gives the same in worker threads as in the calling thread, in the order of the paths", async () => {
    const many = [...paths, ...paths.toReversed(), ...paths];
    const here = await collect(imageLoader({ config, workers: 0 }).load(many));
    const there = await collect(imageLoader({ config, workers: 2 }).load(many));
    assert.deepEqual(
      there.map(({ path }) => path),
      many,
    );
    assert.deepEqual(there, here);
    assert.ok(there.every((item) => "pixels" in item && item.pixels.length === 3 * 32 * 32));
  });

  for (const workers of [0, 2]) {
    it(`yields errors as items, with ${workers} threads`, async () => {
      const text = folder.file("text.png");
      await writeFile(text, "not an image");
      const missing = fixture("images/no-such-file.png");
      const list = [paths[0]!, text, missing, fixture("images"), paths[1]!];
      const items = await collect(imageLoader({ config, workers }).load(list));
      assert.deepEqual(
        items.map(({ path }) => path),
        list,
      );
      assert.deepEqual(
        items.map((item) => "error" in item),
        [false, true, true, true, false],
      );
      for (const item of items) {
        if (!("error" in item)) continue;
        assert.ok(item.error instanceof InputError);
        assert.ok(item.error.message.startsWith(`${item.path}: `), item.error.message);
      }
    });
  }

  it("applies the Exif orientation on request", async () => {
    const turned = Array.from({ length: 5 }, () => fixture("images/jpeg-orientation6.jpg"));
    const [plain] = await collect(imageLoader({ config, workers: 1 }).load(turned));
    const [upright] = await collect(imageLoader({ config, workers: 1, exifOrientation: true }).load(turned));
    assert.ok(plain !== undefined && "pixels" in plain && upright !== undefined && "pixels" in upright);
    assert.notDeepEqual(upright.pixels, plain.pixels);
  });

  it("accepts an empty list", async () => {
    assert.deepEqual(await collect(imageLoader({ config }).load([])), []);
  });

  it("stops its threads if the caller stops early, and lets the process end", function () {
    this.timeout(20_000);
    const module = fileURLToPath(new URL("../../../lib/node/images/image-loader.js", import.meta.url));
    const script = `
      import { imageLoader } from ${JSON.stringify(module)};
      const config = ${JSON.stringify(config)};
      const paths = Array(500).fill(${JSON.stringify(paths[1])});
      for await (const item of imageLoader({ config, workers: 2 }).load(paths)) { if ("pixels" in item) break; }
      console.log("done");
    `;
    const run = spawnSync(process.execPath, ["--input-type=module", "-e", script], { timeout: 15_000 });
    assert.deepEqual([run.status, run.stdout.toString(), run.stderr.toString()], [0, "done\n", ""]);
  });
});

describe("nodeCodecs", () => {
  it("recovers from damaged images, and prints nothing", async () => {
    const codecs = nodeCodecs();
    const written: unknown[] = [];
    const streams = [process.stdout, process.stderr] as const;
    const originals = streams.map((stream) => stream.write.bind(stream));
    for (const stream of streams) stream.write = (chunk: unknown) => written.push(chunk) > 0;
    try {
      for (const [name, decode] of [
        ["jpeg-420.jpg", codecs.jpeg],
        ["webp-lossy.webp", codecs.webp],
      ] as const) {
        const whole = new Uint8Array(await readFile(fixture(`images/${name}`)));
        const before = await decode(whole);
        const flipped = whole.map((byte, i) => (i > 200 && i % 9 === 0 ? 255 - byte : byte));
        await assert.rejects(decode(whole.slice(0, 150)));
        await decode(flipped).catch(() => undefined);
        assert.deepEqual(await decode(whole), before);
      }
    } finally {
      for (const [i, stream] of streams.entries()) stream.write = originals[i]!;
    }
    assert.deepEqual(written, []);
  });

  it("decodes concurrent requests one after the other", async () => {
    const codecs = nodeCodecs();
    const bytes = new Uint8Array(await readFile(fixture("images/jpeg-444.jpg")));
    const broken = bytes.slice(0, 300);
    const results = await Promise.allSettled(
      [bytes, broken, bytes, broken, bytes].map((each) => codecs.jpeg(each)),
    );
    assert.deepEqual(
      results.map(({ status }) => status),
      ["fulfilled", "rejected", "fulfilled", "rejected", "fulfilled"],
    );
  });
});
