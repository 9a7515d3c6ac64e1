/** Folders and shards of ImageNet's size. IMAGES=1300000 is for a run by hand. */
import assert from "node:assert/strict";
import { closeSync, openSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { InputError } from "../../../lib/errors/input-error.ts";
import { findLabelledImages } from "../../../lib/node/images/find-labelled-images.ts";
import { manyImages } from "../../support/many-images.ts";
import { fixture } from "../../support/paths.ts";
import { tarHeader } from "../../support/tar.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const count = Number(process.env["IMAGES"] ?? 200_000);

describe(`${count} images`, () => {
  const folder = temporaryFolder();

  const fail = (error: InputError): void => {
    throw error;
  };

  it("are found in folders and by patterns", async () => {
    const album = manyImages(folder.path, fixture("images/size-1x1.png"), count, 1000);
    for (const given of [album, join(album, "*"), join(album, "**"), join(album, "*", "*.png")]) {
      const started = performance.now();
      const { images, labels, classNames } = await findLabelledImages([given], fail);
      const seconds = (performance.now() - started) / 1000;
      const memory = Math.round(process.memoryUsage().rss / 2 ** 20);
      console.log(`        ${given.slice(album.length) || "folder"}: ${seconds.toFixed(1)} s, ${memory} MiB`);
      assert.equal(images.length, count);
      assert.equal(new Set(images).size, count);
      assert.equal(labels?.length, count);
      assert.equal(classNames?.length, 1000);
      assert.ok(seconds < 30 + count / 5_000, `${given}: ${seconds} s`);
    }
  });

  it("are found in one folder, and in one shard", async () => {
    const album = manyImages(folder.path, fixture("images/size-1x1.png"), count);
    assert.equal((await findLabelledImages([join(album, "class 0")], fail)).images.length, count);

    const shard = folder.file("shard.tar");
    const file = openSync(shard, "w");
    const data = Buffer.alloc(512);
    for (let start = 0; start < count; start += 1000) {
      const blocks: Buffer[] = [];
      for (let i = start; i < start + 1000; i++) blocks.push(tarHeader(`${i}.png`, 1), data);
      writeSync(file, Buffer.concat(blocks));
    }
    writeSync(file, Buffer.alloc(1024));
    closeSync(file);
    assert.equal((await findLabelledImages([shard], fail)).images.length, count);
  });
});
