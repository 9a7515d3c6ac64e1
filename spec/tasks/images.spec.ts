import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { memory, tensor2d } from "@tensorflow/tfjs-core";
import type { Clip } from "../../lib/clip/clip.ts";
import { findImages } from "../../lib/node/images/image-files.ts";
import { embedImages, rankImages } from "../../lib/node/images/embed-images.ts";
import { rank } from "../../lib/tasks/search.ts";
import type { InputError } from "../../lib/errors/input-error.ts";
import { writeImage } from "../support/images.ts";
import { assertNear } from "../support/near.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { openTinyClip } from "../support/tiny-clip.ts";

describe("tasks with image files", () => {
  const folder = temporaryFolder();
  const colors = [0xff0000, 0x00ff00, 0x0000ff, 0xffffff, 0x808080];
  let model: Clip;
  let files: string[];
  let bad: string;

  before(async () => {
    model = await openTinyClip();
  });

  beforeEach(async () => {
    files = colors.map((_, i) => folder.file(`${i}.png`));
    await Promise.all(files.map((file, i) => writeImage(file, colors[i]!)));
    bad = folder.file("text.jpg");
    await writeFile(bad, "this is no picture");
  });

  after(() => model.dispose());

  describe("embedImages", () => {
    it("yields batches in the order of the paths, and the same whatever the batch size", async () => {
      const inTwos = await collect(model, files, 2);
      assert.deepEqual(
        inTwos.map(({ paths }) => paths),
        [files.slice(0, 2), files.slice(2, 4), files.slice(4)],
      );
      const [all] = await collect(model, files, 16);
      assertNear(inTwos.flatMap(({ rows }) => rows).flat(), all!.rows.flat(), 1e-5);
    });

    it("hands the error of a bad image on and embeds the rest", async () => {
      const errors: string[] = [];
      const done: number[] = [];
      const given = [files[0]!, bad, files[1]!, "nowhere.png"];
      const batches = embedImages(model, given, {
        batchSize: 1,
        onError: (_error, path) => errors.push(path),
        onProgress: (count) => done.push(count),
      });
      const paths: string[] = [];
      for await (const batch of batches) {
        paths.push(...batch.paths);
        batch.features.dispose();
      }
      assert.deepEqual(paths, [files[0], files[1]]);
      assert.deepEqual(errors, [bad, "nowhere.png"]);
      assert.equal(done.at(-1), 4);
    });

    it("throws it where nobody takes it", async () => {
      await assert.rejects(collect(model, [bad], 1), { name: "InputError" });
    });

    it("leaves no tensor behind, also when the consumer stops early", async () => {
      await collect(model, files, 2);
      const before = memory().numTensors;
      for await (const { features } of embedImages(model, files, { batchSize: 2 })) {
        features.dispose();
        break;
      }
      assert.equal(memory().numTensors, before);
    });
  });

  describe("rank", () => {
    it("orders by cosine similarity, equals by their place", async () => {
      const query = tensor2d([[0.6, 0.8]]);
      const features = tensor2d([
        [1, 0],
        [0, 1],
        [0.6, 0.8],
        [0, 1],
      ]);
      const ranked = await rank(query, features);
      assert.deepEqual(
        ranked.map(({ index }) => index),
        [2, 1, 3, 0],
      );
      assertNear(
        ranked.map(({ similarity }) => similarity),
        [1, 0.8, 0.8, 0.6],
        1e-6,
      );
      query.dispose();
      features.dispose();
    });
  });

  describe("rank, of what is no number", () => {
    it("refuses to order", async () => {
      const [query, features] = [tensor2d([[1, 0]]), tensor2d([[NaN, 0]])];
      await assert.rejects(rank(query, features), /expected finite scores, found NaN/);
      query.dispose();
      features.dispose();
    });
  });

  describe("rankImages", () => {
    it("finds an image itself first, and leaves no tensor behind", async () => {
      const [own] = await collect(model, [files[2]!], 1, true);
      const before = memory().numTensors;
      const query = tensor2d(own!.rows);
      const matches = await rankImages(model, query, files, { batchSize: 2 });
      query.dispose();
      assert.equal(matches[0]!.path, files[2]);
      assertNear([matches[0]!.similarity], [1], 1e-5);
      assert.equal(matches.length, files.length);
      assert.equal(memory().numTensors, before);
    });
  });

  describe("findImages", () => {
    it("takes files as they are and folders by name, leaves out what is hidden or no image", async () => {
      const root = folder.file("album");
      await mkdir(join(root, "b", "deep"), { recursive: true });
      await mkdir(join(root, ".hidden"));
      await mkdir(join(root, "empty"));
      for (const name of [
        "c.PNG",
        "a.jpeg",
        "notes.txt",
        ".d.png",
        "b/deep/x.webp",
        "b/y.gif",
        ".hidden/z.png",
      ]) {
        await writeFile(join(root, name), "");
      }
      const errors: InputError[] = [];
      const found = await findImages([bad, root, "nowhere", join(root, "empty")], (error) =>
        errors.push(error),
      );
      const inRoot = ["a.jpeg", "b/deep/x.webp", "b/y.gif", "c.PNG"].map((name) => join(root, name));
      assert.deepEqual(found, [bad, ...inRoot]);
      assert.equal(errors[0]!.message, "nowhere: no such file or folder");
      assert.match(errors[1]!.message, /empty: no images in this folder \(looked for \.jpg, /);
    });

    it("takes patterns that the shell left alone", async () => {
      const root = folder.file("album");
      const names = ["cat/0.jpg", "cat/1.png", "cat/deep/2.jpg", "dog/3.jpg", "x[1].jpg", "7.jpg", "08.jpg"];
      for (const name of names) {
        await mkdir(dirname(join(root, name)), { recursive: true });
        await writeFile(join(root, name), "");
      }
      const errors: string[] = [];
      const found = async (...patterns: string[]): Promise<string[]> => {
        const paths = patterns.map((pattern) => join(root, pattern));
        const images = await findImages(paths, ({ message }) => errors.push(message.slice(root.length + 1)));
        return images.map((path) => relative(root, path));
      };
      assert.deepEqual(await found("**/*.jpg"), [
        "08.jpg",
        "7.jpg",
        "cat/0.jpg",
        "cat/deep/2.jpg",
        "dog/3.jpg",
        "x[1].jpg",
      ]);
      assert.deepEqual(await found("{cat,dog}/?.jpg"), ["cat/0.jpg", "dog/3.jpg"]);
      assert.deepEqual(await found("x[1].jpg", "{07..08}.jpg"), ["x[1].jpg", "08.jpg"]);
      assert.deepEqual(errors, ["07.jpg: no such file or folder"]);
      assert.deepEqual(await found("c*"), ["cat/0.jpg", "cat/1.png", "cat/deep/2.jpg"]);
      assert.equal((await found("**")).length, names.length);
      assert.deepEqual(await found("*.gif"), []);
      assert.deepEqual(errors.slice(1), ["*.gif: no images match this pattern"]);
    });
  });
});

async function collect(
  model: Clip,
  paths: readonly string[],
  batchSize: number,
  normalize = false,
): Promise<{ paths: readonly string[]; rows: number[][] }[]> {
  const batches = [];
  for await (const { paths: embedded, features } of embedImages(model, paths, { batchSize, normalize })) {
    batches.push({ paths: embedded, rows: await features.array() });
    features.dispose();
  }
  return batches;
}
