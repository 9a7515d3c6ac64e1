import assert from "node:assert/strict";
import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { findImages } from "../../../lib/node/images/image-files.ts";
import type { InputError } from "../../../lib/errors/input-error.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("findImages", () => {
  const folder = temporaryFolder();

  it("takes named files as they are, and from folders the visible images, sorted by name", async () => {
    const [root, bad] = [folder.file("album"), folder.file("text.jpg")];
    await writeFile(bad, "");
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

  it("expands patterns like a shell", async () => {
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
