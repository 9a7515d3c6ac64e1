import assert from "node:assert/strict";
import { compareCase, readCases } from "../../tools/golden/image-cases.ts";
import { fixture } from "../support/paths.ts";

const folder = fixture("images");

/** Pillow's modes, which the fixtures must cover: each is resized or converted by another rule. */
const modes = ["1", "CMYK", "F", "I", "I;16", "I;16B", "L", "LA", "P", "RGB", "RGBA"];

describe("preprocessing, against Pillow and open_clip", () => {
  let cases: Awaited<ReturnType<typeof readCases>>;

  before(async () => {
    cases = await readCases(folder);
  });

  it("covers each mode and format", () => {
    assert.deepEqual([...new Set(cases.map(({ mode }) => mode))].sort(), modes);
    const formats = new Set(cases.map(({ format }) => format));
    assert.deepEqual([...formats].sort(), ["BMP", "GIF", "JPEG", "PNG", "TIFF", "WEBP"]);
  });

  // One test per family, because the list of cases is read when the tests run.
  for (const family of ["png", "jpeg", "webp", "gif", "tiff", "bmp", "size"]) {
    it(`gives the reference's pixels and floats: ${family}`, async () => {
      const chosen = cases.filter(({ file }) => file.startsWith(`${family}-`));
      assert.ok(chosen.length > 5, `${family}: ${chosen.length} cases; re-run tools/golden/images.py`);
      const wrong: string[] = [];
      for (const item of chosen) {
        for (const { what, where } of await compareCase(folder, item)) {
          if (where !== undefined) wrong.push(`${item.file} (${item.mode}), ${what}: ${where}`);
        }
      }
      assert.deepEqual(wrong, []);
    });
  }
});
