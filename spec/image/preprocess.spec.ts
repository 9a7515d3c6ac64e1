/** The conversion to RGB before the resize, against torchvision's ImageFolder. */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { preprocessImage } from "../../lib/image/preprocess.ts";
import { nodeCodecs } from "../../lib/node/images/codecs.ts";
import { configOf, readCases } from "../../tools/golden/image-cases.ts";
import { fixture } from "../support/paths.ts";

const folder = fixture("images");

interface Case {
  readonly file: string;
  readonly mode: string;
  readonly transforms: readonly (Parameters<typeof configOf>[0] & { readonly sha256: string })[];
}

describe("preprocessImage with convertToRgbFirst", () => {
  let cases: readonly Case[];

  before(async () => {
    const { cases: read } = JSON.parse(await readFile(`${folder}/rgb-first.json`, "utf8")) as {
      cases: readonly Case[];
    };
    cases = read;
  });

  async function digest(
    { file }: Pick<Case, "file">,
    given: Case["transforms"][number],
    convertToRgbFirst: boolean,
  ): Promise<string> {
    const preprocess = preprocessImage(configOf(given), nodeCodecs(), { convertToRgbFirst });
    const floats = await preprocess(await readFile(`${folder}/${file}`), file);
    return createHash("sha256").update(new Uint8Array(floats.buffer)).digest("hex");
  }

  it("has a golden for each image of another mode than RGB", async () => {
    const others = (await readCases(folder)).filter(({ mode }) => mode !== "RGB").map(({ file }) => file);
    assert.deepEqual(
      cases.map(({ file }) => file),
      others,
      "run tools/golden/rgb_first.py",
    );
  });

  it("gives the floats of torchvision's loader and open_clip's transform", async () => {
    const wrong: string[] = [];
    for (const item of cases) {
      for (const given of item.transforms) {
        const found = await digest(item, given, true);
        if (found !== given.sha256) wrong.push(`${item.file} (${item.mode}), ${given.resize_mode}`);
      }
    }
    assert.deepEqual(wrong, []);
  });

  it("differs from the resize in the image's own mode where the mode matters", async () => {
    const differing = new Set<string>();
    for (const item of cases) {
      if ((await digest(item, item.transforms[0]!, false)) !== item.transforms[0]!.sha256)
        differing.add(item.mode);
    }
    assert.deepEqual([...differing].sort(), ["1", "CMYK", "F", "I", "I;16", "I;16B", "LA", "P", "RGBA"]);
  });
});
