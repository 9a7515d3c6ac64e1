import assert from "node:assert/strict";
import { readdir, readFile, writeFile } from "node:fs/promises";
import type { Clip } from "../../lib/clip/clip.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { embedImagesToFile, embedTextsToFile } from "../../lib/features/embed-to-file.ts";
import type { Host } from "../../lib/features/host.ts";
import type { LabelledImages } from "../../lib/features/labelled-images.ts";
import { readFeatures } from "../../lib/node/features/features-files.ts";
import { nodeFileSystem } from "../../lib/node/files/file-system.ts";
import { nodeHost } from "../../lib/node/host.ts";
import { crc32 } from "../../lib/tensor/crc32.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { openTinyClip } from "../support/tiny-clip.ts";

/** Of the tiny model's images. */
const pixelCount = 3 * 28 * 42;

/** Images by name: "bad…" cannot be read, "stop" ends the run, others have the pixels of their length. */
const host: Host = {
  ...nodeHost,
  files: { ...nodeFileSystem, version: () => Promise.resolve("") },
  async *loadImages(_model, images) {
    for (const image of images) {
      const path = image as string;
      if (path === "stop" && !mayPass) throw new Error("stopped");
      yield await Promise.resolve(
        path.startsWith("bad")
          ? { path, error: new InputError(`${path}: damaged`) }
          : { path, pixels: new Float32Array(pixelCount).fill(path.length / 10) },
      );
    }
  },
};
let mayPass = true;

/** A line of a journal. */
function withChecksum(piece: object): string {
  const json = JSON.stringify(piece);
  return `${crc32(new TextEncoder().encode(json)).toString(16).padStart(8, "0")} ${json}`;
}

describe("embedding into features files", () => {
  const folder = temporaryFolder();
  let model: Clip;
  before(async () => {
    model = await openTinyClip();
  });
  after(() => model.dispose());

  /** @returns the errors of the images */
  async function embed(images: LabelledImages, out: string, batchSize = 2): Promise<string[]> {
    const failed: string[] = [];
    await embedImagesToFile(host, model, images, out, {
      batchSize,
      onError: ({ message }) => failed.push(message),
    });
    return failed;
  }

  /** The journal that a run leaves when it stops at the image "stop". */
  async function stopped(images: LabelledImages, out: string, batchSize = 2): Promise<string> {
    mayPass = false;
    try {
      await assert.rejects(embed(images, out, batchSize), /stopped/);
    } finally {
      mayPass = true;
    }
    return readFile(`${out}.journal`, "utf8");
  }

  it("keeps the errors of 200,000 images that cannot be read, in one piece of the journal", async () => {
    const bad = Array.from({ length: 200_000 }, (_, i) => `bad${i}`);
    const images = { images: [...bad, "a", "stop"], labels: null, classNames: null };
    const messages = bad.map((name) => `${name}: damaged`);
    const [out, undisturbed] = [folder.file("out"), folder.file("undisturbed")];
    const journal = await stopped(images, out, 1);
    assert.equal(journal.split("\n").length, 3, "the title, one piece, and the end of its line");
    assert.deepEqual(await embed(images, out, 1), messages, "reported again by the next run");
    assert.deepEqual(await embed(images, undisturbed, 1), messages);
    assert.deepEqual(await readFile(out), await readFile(undisturbed));
    assert.deepEqual((await readFeatures(out)).paths, ["a", "stop"]);
    assert.deepEqual((await readdir(folder.path)).sort(), ["out", "undisturbed"]);
  });

  it("gives each row the label and the path of its image", async () => {
    const out = folder.file("out");
    const images = ["a", "bad", "bbb", "bad2", "bad3", "cc"];
    const labels = [0, 1, 2, 3, 4, 5];
    assert.deepEqual(await embed({ images, labels, classNames: null }, out), [
      "bad: damaged",
      "bad2: damaged",
      "bad3: damaged",
    ]);
    const { rows, width, values, ...features } = await readFeatures(out);
    assert.deepEqual([rows, width, features.labels, features.paths], [3, 24, [0, 2, 5], ["a", "bbb", "cc"]]);
    // Alone, an image gives the same row.
    const alone = folder.file("alone");
    await embed({ images: ["bbb"], labels: null, classNames: null }, alone);
    const row = (await readFeatures(alone)).values;
    for (const [i, value] of row.entries()) assert.ok(Math.abs(value - values[width + i]!) < 1e-5, `${i}`);
  });

  it("writes nothing if no image can be read", async () => {
    const images = { images: ["bad1", "bad2"], labels: null, classNames: null };
    await assert.rejects(
      embed(images, folder.file("out")),
      /out: not written, because none of the images could be read/,
    );
    assert.deepEqual(await readdir(folder.path), []);
  });

  it("refuses a journal whose pieces do not follow each other, and leaves it unchanged", async () => {
    const images = { images: ["a", "bb", "ccc", "d", "stop"], labels: null, classNames: null };
    const out = folder.file("out");
    const [title, one, two] = (await stopped(images, out)).split("\n") as [string, string, string];
    const changed = (line: string, change: (piece: Record<string, unknown>) => object): string =>
      withChecksum(change(JSON.parse(line.slice(9)) as Record<string, unknown>));
    for (const [lines, message] of [
      [[one, one], /piece 2: expected done to be a whole number from 3 to 5, found 2; delete the file/],
      [[two], /piece 1: expected done to be 2, after 0 inputs, found 4/],
      [
        [one, changed(two, (piece) => ({ ...piece, done: 6 }))],
        /expected done to be a whole number from 3 to 5/,
      ],
      [
        [one, changed(two, (piece) => ({ ...piece, embedded: [3, 2] }))],
        /expected embedded to be inputs from 2 to 3/,
      ],
      [
        [changed(one, (piece) => ({ ...piece, embedded: [0], failed: ["b"] })), two],
        /piece 2: expected features to be the rows/,
      ],
      [
        [changed(one, (piece) => ({ ...piece, embedded: [], failed: ["a", "b"] }))],
        /piece 1: expected features to be the rows/,
      ],
      [
        [changed(one, (piece) => ({ ...piece, features: ["****"] }))],
        /piece 1: expected features to be the rows/,
      ],
      [
        [changed(one, (piece) => ({ ...piece, features: [] }))],
        /piece 1: expected features to be the rows of 1 taps/,
      ],
      [[changed(one, () => [1])], /piece 1: expected an object, found \[1\]/],
    ] as const) {
      const text = [title, ...lines, ""].join("\n");
      await writeFile(`${out}.journal`, text);
      await assert.rejects(embed(images, out), message);
      assert.equal(await readFile(`${out}.journal`, "utf8"), text);
      assert.deepEqual(await readdir(folder.path), ["out.journal"]);
    }
    await writeFile(`${out}.journal`, [title, one, two, ""].join("\n"));
    assert.deepEqual(await embed(images, out), []);
    assert.equal((await readFeatures(out)).rows, 5);
  });

  it("writes no file of other rows than it has embedded, if the journal changes meanwhile", async () => {
    const out = folder.file("out");
    const images = { images: ["a", "bb", "ccc", "d"], labels: null, classNames: null };
    const files: Host["files"] = {
      ...host.files,
      // When the file is about to be written, another program changes the last piece: an image less.
      async reserve(paths) {
        const reserved = await nodeFileSystem.reserve(paths);
        const write: typeof reserved.write = async (fill) => {
          const lines = (await readFile(`${out}.journal`, "utf8")).split("\n");
          const piece = JSON.parse(lines[2]!.slice(9)) as { features: string[] };
          const half = Buffer.from(piece.features[0]!, "base64")
            .subarray(0, 4 * 24)
            .toString("base64");
          lines[2] = withChecksum({ ...piece, embedded: [2], failed: ["d"], features: [half] });
          await writeFile(`${out}.journal`, lines.join("\n"));
          await reserved.write(fill);
        };
        return { ...reserved, write };
      },
    };
    await assert.rejects(
      embedImagesToFile({ ...host, files }, model, images, out, { batchSize: 2, onError: assert.ifError }),
      /^InputError: .*out\.journal: expected 4 finished rows, found 3: another program changed the file/,
    );
    assert.deepEqual(await readdir(folder.path), ["out.journal"]);
  });

  it("refuses the journal of other images", async () => {
    const out = folder.file("out");
    await stopped({ images: ["a", "stop"], labels: null, classNames: null }, out, 1);
    await assert.rejects(
      embed({ images: ["b", "stop"], labels: null, classNames: null }, out, 1),
      /out\.journal: holds unfinished work with other settings \(images\)/,
    );
    await assert.rejects(
      embed({ images: ["a", "stop"], labels: [0, 1], classNames: null }, out, 1),
      /out\.journal: holds unfinished work with other settings \(images\)/,
    );
  });

  it("writes a file for each tap", async () => {
    const out = folder.file("{tap}.features");
    const images = { images: ["a", "bb", "ccc"], labels: null, classNames: null };
    const taps = ["visual", "visual.transformer.resblocks.0"];
    const options = {
      onError: (error: Error) => {
        assert.ifError(error);
      },
    };
    const embedded = await embedImagesToFile(host, model, images, out, { ...options, taps });
    assert.deepEqual(
      embedded.map(({ tap, rows }) => [tap, rows]),
      taps.map((tap) => [tap, 3]),
    );
    assert.deepEqual(await readdir(folder.path), taps.map((tap) => `${tap}.features`).sort());
    await assert.rejects(
      embedImagesToFile(host, model, images, folder.file("out"), { ...options, taps }),
      /expected \{tap\} in the name, because each of the 2 taps has its own file/,
    );
    await assert.rejects(
      embedImagesToFile(host, model, images, out, { ...options, taps: ["visual", "visual"] }),
      /the tap "visual" is listed twice; remove one/,
    );
  });

  it("embeds texts, and refuses an empty list", async () => {
    const out = folder.file("out");
    const [embedded] = await embedTextsToFile(host, model, ["a", "b", "c"], out, { batchSize: 2 });
    assert.deepEqual(embedded, { tap: "text", out, rows: 3, width: 24 });
    await assert.rejects(embedTextsToFile(host, model, [], out), /expected at least one text, got none/);
  });
});
