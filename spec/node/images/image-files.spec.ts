import assert from "node:assert/strict";
import { chmod, mkdir, symlink, writeFile } from "node:fs/promises";
import { dirname, join, relative } from "node:path";
import { findImages } from "../../../lib/node/images/image-files.ts";
import type { InputError } from "../../../lib/errors/input-error.ts";
import { nameOf } from "../../../lib/tasks/image-source.ts";
import { unreadable } from "../../../lib/node/files/file-source.ts";
import { temporaryFolder } from "../../support/temporary.ts";
import { unprivileged } from "../../support/unprivileged.ts";

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
    assert.deepEqual([...found], [bad, ...inRoot]);
    assert.equal(errors[0]!.message, "nowhere: no such file or folder");
    assert.match(errors[1]!.message, /empty: no images in this folder \(looked for \.jpg, /);
  });

  it("sorts the names in a folder by code points, as Python does, and not by UTF-16 units", async () => {
    // Python: sorted(["😀.png", "～.png", "𐀀.png", "z.png"])
    const names = ["z.png", "～.png", "𐀀.png", "😀.png"];
    for (const name of names.toReversed()) await writeFile(folder.file(name), "");
    const found = await findImages([folder.path], assert.ifError);
    assert.deepEqual(
      [...found].map((path) => relative(folder.path, nameOf(path))),
      names,
    );
    assert.notDeepEqual(names.toSorted(), names);
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
      return [...images].map((path) => relative(root, nameOf(path)));
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

  if (process.platform !== "win32") {
    it("reports a folder that cannot be read, and continues with the others", async () => {
      const root = folder.file("album");
      for (const name of ["a/1.png", "b/2.png", "c/3.png"]) {
        await mkdir(dirname(join(root, name)), { recursive: true });
        await writeFile(join(root, name), "");
      }
      await chmod(folder.path, 0o755);
      await chmod(join(root, "b"), 0o000);
      const find = async (path: string): Promise<[string[], string[]]> => {
        const errors: string[] = [];
        const images = await unprivileged(() => findImages([path], ({ message }) => errors.push(message)));
        return [[...images].map((image) => relative(root, nameOf(image))), errors];
      };
      const denied = `${join(root, "b")}: permission denied`;
      assert.deepEqual(await find(root), [["a/1.png", "c/3.png"], [denied]]);
      assert.deepEqual(await find(join(root, "b")), [[], [denied]]);
      assert.deepEqual(await find(join(root, "b", "*.png")), [
        [],
        [`${join(root, "b", "*.png")}: permission denied`],
      ]);
      await chmod(join(root, "b"), 0o755);
    });
  }

  if (process.platform === "linux") {
    it("says that a name is not UTF-8", async () => {
      await writeFile(
        Buffer.concat([Buffer.from(`${folder.path}/`), Buffer.from([0xff, 0x2e, 0x70, 0x6e, 0x67])]),
        "",
      );
      const [found] = [
        ...(await findImages([folder.path], (error) => {
          assert.ifError(error);
        })),
      ];
      const { message } = unreadable(nameOf(found!), Object.assign(new Error(), { code: "ENOENT" }));
      assert.match(message, /\ufffd\.png: no such file or folder, or its name is not UTF-8; rename it$/);
    });
  }

  it("merges the names in a folder with those below it, in the order of whole paths", async () => {
    const root = folder.file("album");
    const names = [
      "a-b/1.png",
      "a.png",
      "a/1.png",
      "a/deep/2.png",
      "b/3.png",
      "z.png",
      "\ufb00/4.png",
      "😀/5.png",
    ];
    for (const name of names) {
      await mkdir(dirname(join(root, name)), { recursive: true });
      await writeFile(join(root, name), "");
    }
    const found = async (pattern: string): Promise<string[]> => {
      const images = await findImages([join(root, pattern)], assert.ifError);
      return [...images].map((path) => relative(root, nameOf(path)));
    };
    assert.deepEqual(await found("**/*.png"), names);
    assert.deepEqual(await found("@(a/deep|b)/*"), ["a/deep/2.png", "b/3.png"]);
    assert.deepEqual(await found("*/deep/**"), ["a/deep/2.png"]);
    assert.deepEqual(await found("a/../[ab]/?.png"), ["a/1.png", "b/3.png"]);
  });

  it("follows links to folders that a pattern goes through, but not below **", async () => {
    const root = folder.file("album");
    await mkdir(join(root, "real"), { recursive: true });
    await writeFile(join(root, "real", "1.png"), "");
    await symlink("real", join(root, "link"));
    await symlink("..", join(root, "real", "loop"));
    const found = async (pattern: string): Promise<string[]> =>
      [...(await findImages([join(root, pattern)], assert.ifError))].map((path) =>
        relative(root, nameOf(path)),
      );
    assert.deepEqual(await found("link/*.png"), ["link/1.png"]);
    assert.deepEqual(await found("*/*.png"), ["link/1.png", "real/1.png"]);
    assert.deepEqual(await found("**/*.png"), ["real/1.png"]);
  });

  it("keeps the paths of a pattern as they were given: absolute, or above the working directory", async () => {
    const root = folder.file("album");
    await mkdir(root, { recursive: true });
    await writeFile(join(root, "1.png"), "");
    assert.deepEqual([...(await findImages([join(root, "*")], assert.ifError))], [join(root, "1.png")]);
    const above = join(relative(process.cwd(), root), "*.png");
    assert.ok(above.startsWith("../"));
    const expected = [join(relative(process.cwd(), root), "1.png")];
    assert.deepEqual([...(await findImages([above], assert.ifError))], expected);
  });
});
