import assert from "node:assert/strict";
import { mkdirSync, symlinkSync, writeFileSync } from "node:fs";
import { dirname } from "node:path";
import { imageFolder } from "../../../lib/eval/datasets/image-folder.ts";
import type { ClassificationDataset, Dataset } from "../../../lib/eval/dataset.ts";
import { datasetFiles } from "../../../lib/node/eval/dataset-files.ts";
import { nameOf } from "../../../lib/tasks/image-source.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("imageFolder", () => {
  const folder = temporaryFolder();

  function write(...files: readonly string[]): void {
    for (const file of files) {
      mkdirSync(dirname(folder.file(file)), { recursive: true });
      writeFileSync(folder.file(file), "");
    }
  }

  const read = async (name = "made", split?: string): Promise<ClassificationDataset> => {
    const request = { name, folder: folder.path, ...(split === undefined ? {} : { split }) };
    return (await imageFolder.read(datasetFiles, request)) as ClassificationDataset;
  };
  const names = ({ images }: Dataset): string[] =>
    images.map((image) => nameOf(image).slice(folder.path.length + 1));

  it("orders classes, folders and images as torchvision does, by code points", async () => {
    write(
      "b/2.png",
      "b/10.JPG",
      "b/a/1.png",
      "b/a.x/1.png",
      "b/notes.txt",
      "\u{1f642}/1.webp",
      "\uff5e/1.tiff",
      "B/1.pgm",
    );
    const dataset = await read();
    assert.deepEqual(dataset.classFolders, ["B", "b", "\uff5e", "\u{1f642}"]);
    // By the whole path of the folder: "b/a.x" sorts before "b/a/…", and after "b/a".
    assert.deepEqual(names(dataset), [
      ...["B/1.pgm", "b/10.JPG", "b/2.png", "b/a/1.png", "b/a.x/1.png"],
      ...["\uff5e/1.tiff", "\u{1f642}/1.webp"],
    ]);
    assert.deepEqual(dataset.labels, [0, 1, 1, 1, 1, 2, 3]);
    assert.deepEqual(dataset.classNames?.texts, dataset.classFolders);
    assert.equal(dataset.convertToRgbFirst, true);
  });

  it("follows links to folders", async () => {
    write("b/1.png");
    symlinkSync(folder.file("b"), folder.file("a"));
    assert.deepEqual(names(await read()), ["a/1.png", "b/1.png"]);
  });

  it("reads a split; val is the test split of ImageNet, whose class names come with CLIP_benchmark", async () => {
    write("train/n1/1.png", "val/n1/2.png", "val/n2/3.png");
    const dataset = await read("imagenet1k");
    assert.deepEqual([dataset.split, dataset.classNames, dataset.classFolders], ["val", null, ["n1", "n2"]]);
    assert.deepEqual(names(await read("imagenet1k", "train")), ["train/n1/1.png"]);
    await assert.rejects(read("made", "dev"), {
      name: "InputError",
      message: /the folder of the split "dev"/,
    });
  });

  it("takes a folder called test for a class if it holds images only", async () => {
    write("test/1.png", "other/2.png");
    assert.deepEqual((await read()).classFolders, ["other", "test"]);
  });

  it("refuses a class without images, and is not recognised in a folder without classes", async () => {
    write("a/1.png", "b/notes.txt");
    assert.equal(await imageFolder.recognizes(datasetFiles, folder.path), true);
    assert.equal(await imageFolder.recognizes(datasetFiles, folder.file("a")), false);
    await assert.rejects(read(), {
      name: "InputError",
      message: /b: expected images of the class, found none/,
    });
  });
});
