import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { copyFile, mkdir, readFile, writeFile } from "node:fs/promises";
import { create, extract } from "tar";
import { parsePreprocessConfig } from "../../../lib/clip/config/preprocess-config.ts";
import { nameOf } from "../../../lib/tasks/image-source.ts";
import { imageReader } from "../../../lib/node/images/image-reader.ts";
import type { LabelledImages } from "../../../lib/features/labelled-images.ts";
import { findLabelledImages } from "../../../lib/node/images/find-labelled-images.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { embedImagesToFile, readFeatures } from "../../../lib/node/features/features-files.ts";
import { clipscope } from "../../support/cli.ts";
import { writeImage } from "../../support/images.ts";
import { fixture } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const shard = (name: string): string => fixture(`shards/${name}.tar`);
const long = `${"a-folder-with-a-long-name/".repeat(4)}000003`;

async function find(...given: string[]): Promise<LabelledImages & { errors: string[] }> {
  const errors: string[] = [];
  const found = await findLabelledImages(given, ({ message }) => errors.push(message));
  return { ...found, errors };
}

describe("WebDataset shards", () => {
  const folder = temporaryFolder();

  it("give the samples and classes of tars from Python, in PAX and GNU format", async () => {
    const { images, labels, classNames, errors } = await find(fixture("shards/numbers-{000..001}.tar"));
    assert.deepEqual(errors, []);
    const [first, second] = [shard("numbers-000"), shard("numbers-001")];
    assert.deepEqual([...images].map(nameOf), [
      `${first}:000000.jpg`,
      `${first}:000001.png`,
      `${first}:deep/er/000002.webp`,
      `${first}:${long}.jpg`,
      `${second}:${long}.jpg`,
      `${second}:000005.jpg`,
    ]);
    assert.deepEqual([labels, classNames], [[2, 0, 1, 2, 0, 2], null]);
  });

  it("give the same images as unpacking", async () => {
    await extract({ file: shard("numbers-000"), cwd: folder.path });
    const { images } = await find(shard("numbers-000"));
    const read = imageReader({
      config: parsePreprocessConfig(null, 28, "the spec"),
      exifOrientation: false,
    });
    for (const image of images) {
      const unpacked = nameOf(image).slice(shard("numbers-000").length + 1);
      assert.deepEqual(await read(image), await read(folder.file(unpacked)), unpacked);
    }
  });

  it("may have class names in .txt; samples without an image or a class are reported", async () => {
    const { images, labels, classNames, errors } = await find(shard("names"));
    assert.deepEqual([...images].map(nameOf), [
      `${shard("names")}:a.seg.PNG`,
      `${shard("names")}:v1.2/b.jpg`,
    ]);
    assert.deepEqual(
      [labels, classNames],
      [
        [1, 0],
        ["blue", "rötlich"],
      ],
    );
    assert.deepEqual(errors, [
      `${shard("names")}:no-image: a sample without an image (txt, json)`,
      `${shard("names")}:no-class.jpg: a sample without a class (.txt), which other samples have`,
    ]);
  });

  it("are reported if they are damaged, and the others continue", async () => {
    const whole = await readFile(shard("numbers-000"));
    const damaged: [name: string, bytes: Uint8Array, message: RegExp][] = [
      [
        "middle.tar",
        whole.subarray(0, 1800),
        /cut short: expected the block that ends a tar, found none in 1800 bytes/,
      ],
      ["end.tar", whole.subarray(0, 1024), /cut short/],
      ["empty.tar", new Uint8Array(0), /cut short/],
      [
        "gzip.tar",
        Buffer.concat([Buffer.from([0x1f, 0x8b]), whole]),
        /expected a tar, found gzip; gunzip it first/,
      ],
      ["text.tar", Buffer.alloc(2000, "x"), /expected a tar, found something else/],
      ["flipped.tar", Buffer.from(whole).fill(1, 1024, 1100), /damaged at byte 1024/],
    ];
    for (const [name, bytes] of damaged) await writeFile(folder.file(name), bytes);
    const { images, errors } = await find(
      ...damaged.map(([name]) => folder.file(name)),
      folder.file("missing-{0..1}.tar"),
      shard("names"),
    );
    assert.equal(images.length, 2);
    assert.match(errors[damaged.length]!, /missing-0\.tar: no such file/);
    assert.match(errors[damaged.length + 1]!, /missing-1\.tar: no such file/);
    for (const [i, [name, , message]] of damaged.entries()) {
      assert.ok(errors[i]!.startsWith(folder.file(name)), errors[i]);
      assert.match(errors[i]!, message);
    }
  });

  it("are embedded, continued after an interruption inside a shard, with the same bytes", async () => {
    const copy = folder.file("copy.tar");
    await copyFile(shard("numbers-000"), copy);
    const out = folder.file("features.safetensors");
    const args = ["embed", "--images", copy, "--out", out, "--batch", "1"];
    const embedded = await clipscope(args);
    assert.deepEqual([embedded.status, embedded.stderr], [0, ""]);
    const undisturbed = await readFile(out);
    const { labels, paths, classNames } = await readFeatures(out);
    assert.deepEqual([labels, classNames], [[2, 0, 1, 2], null]);
    assert.equal(paths?.[1], `${copy}:000001.png`);

    const model = await loadModel();
    const stopped = embedImagesToFile(model, await findLabelledImages([copy], assert.ifError), out, {
      batchSize: 1,
      onError: () => undefined,
      onProgress: (done) => {
        if (done === 2) throw new Error("stopped");
      },
    });
    await assert.rejects(stopped, /stopped/);
    await model.dispose();
    assert.ok(existsSync(`${out}.journal`));
    await writeFile(out, "");
    assert.equal((await clipscope(args)).status, 0);
    assert.deepEqual(await readFile(out), undisturbed);
  });

  const labelled = async (...classes: string[]): Promise<LabelledImages> => {
    const samples = folder.file("samples");
    await mkdir(samples, { recursive: true });
    const names: string[] = [];
    for (const [i, text] of classes.entries()) {
      names.push(`${i}.png`, `${i}.cls`);
      await writeImage(folder.file("samples", `${i}.png`), 0x100000 * i);
      await writeFile(folder.file("samples", `${i}.cls`), text);
    }
    await create({ file: folder.file("ids.tar"), cwd: samples }, names);
    return findLabelledImages([folder.file("ids.tar")], assert.ifError);
  };

  it("may have ids as labels, which end up in the features unchanged", async () => {
    const ids = [999_999_999, 0, 2 ** 40, Number.MAX_SAFE_INTEGER];
    const { labels, classNames } = await labelled(...ids.map(String));
    assert.deepEqual([labels, classNames], [ids, null]);
    const out = folder.file("features.safetensors");
    const { status, stderr } = await clipscope(["embed", "--images", folder.file("ids.tar"), "--out", out]);
    assert.deepEqual([status, stderr], [0, ""]);
    assert.deepEqual((await readFeatures(out)).labels, ids);
  });

  for (const label of ["-1", "1.5", "9007199254740992", "1e3", "123456789012345678901234567890"]) {
    it(`refuse the label ${label} with one line`, async () => {
      await assert.rejects(
        labelled("3", label),
        new RegExp(
          `ids\\.tar:1\\.png: the label in \\.cls is ${label}, expected a whole number from 0 to 2\\^53 − 1; correct it`,
        ),
      );
    });
  }

  it("may have class names that look like numbers, if others do not", async () => {
    const { labels, classNames } = await labelled("42", "7up");
    assert.deepEqual(
      [labels, classNames],
      [
        [0, 1],
        ["42", "7up"],
      ],
    );
  });

  it("are not mixed with files", async () => {
    await assert.rejects(find(shard("names"), fixture("demo-model/samples")), /images or shards, found both/);
  });
});
