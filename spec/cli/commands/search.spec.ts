import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { readFeatures, writeFeatures } from "../../../lib/node/features/features-files.ts";
import { clipscope } from "../../support/cli.ts";
import { writeImage } from "../../support/images.ts";
import { assertNear } from "../../support/near.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("clipscope search", () => {
  const folder = temporaryFolder();
  let red: string;
  let blue: string;
  let text: string;

  beforeEach(async () => {
    red = folder.file("a red.png");
    blue = folder.file("blue.png");
    text = folder.file("text.png");
    await writeImage(red, 0xff0000);
    await writeImage(blue, 0x0000ff);
    await writeFile(text, "not an image");
  });

  it("ranks by similarity to a text", async () => {
    const { status, stdout } = await clipscope(["search", "red", blue, red, "--json"]);
    assert.equal(status, 0);
    const result = JSON.parse(stdout) as { path: string; similarity: number }[];
    assert.deepEqual(result.map(({ path }) => path).sort(), [red, blue]);
    assert.ok(result[0]!.similarity > result[1]!.similarity);
  });

  it("--image ranks by similarity to an image, --top shows the best K", async () => {
    const { status, stdout } = await clipscope(["search", "--image", red, blue, red, "--top", "1"]);
    assert.deepEqual([status, stdout], [0, ` 1.0000  ${red}\n`]);
  });

  it("reads the text from standard input", async () => {
    const args = ["search", "-", blue, red];
    const { status, stdout } = await clipscope(args, { stdin: "red\n" });
    assert.equal(status, 0);
    assert.equal(stdout, (await clipscope(["search", "red", blue, red])).stdout);
    assert.deepEqual(await clipscope(args, { stdin: "red\nblue\n" }), {
      status: 2,
      stdout: "",
      stderr: "clipscope: standard input: expected one line of text to search for, found 2 lines\n",
    });
    assert.match((await clipscope(args)).stderr, /^clipscope: expected a text to search for/);
  });

  it("continues after an unreadable image", async () => {
    const { status, stdout, stderr } = await clipscope(["search", "red", folder.path, "--json"]);
    assert.equal(status, 2);
    assert.equal((JSON.parse(stdout) as unknown[]).length, 2);
    assert.match(stderr, /^clipscope: .*text\.png: .*\n$/);
  });

  describe("--features", () => {
    let file: string;

    beforeEach(async () => {
      file = folder.file("features.safetensors");
      const { status } = await clipscope(["embed", "--images", blue, "--out", file, red]);
      assert.equal(status, 0);
    });

    const ranked = (stdout: string): { path: string; similarity: number }[] =>
      JSON.parse(stdout) as { path: string; similarity: number }[];

    it("finds the same as a search over the images", async () => {
      for (const query of [["red"], ["--image", red]]) {
        const stored = await clipscope(["search", ...query, "--features", file, "--json"]);
        assert.deepEqual([stored.status, stored.stderr], [0, ""]);
        const direct = ranked((await clipscope(["search", ...query, blue, red, "--json"])).stdout);
        const found = ranked(stored.stdout);
        assert.deepEqual(
          found.map(({ path }) => path),
          direct.map(({ path }) => path),
        );
        assertNear(
          found.map(({ similarity }) => similarity),
          direct.map(({ similarity }) => similarity),
          1e-5,
        );
      }
      const { stdout } = await clipscope(["search", "--image", red, "--features", file, "--top", "1"]);
      assert.equal(stdout, ` 1.0000  ${red}\n`);
    });

    it("takes an image from standard input", async () => {
      const args = ["search", "--image", "-", "--features", file, "--top", "1"];
      const { stdout } = await clipscope(args, { stdin: await readFile(red) });
      assert.equal(stdout, ` 1.0000  ${red}\n`);
    });

    it("refuses features of another layer, of texts, and of another model", async () => {
      const other = folder.file("other.safetensors");
      const refused = async (message: RegExp): Promise<void> => {
        const { status, stdout, stderr } = await clipscope(["search", "red", "--features", other]);
        assert.deepEqual([status, stdout], [2, ""]);
        assert.match(stderr, /^clipscope: [^\n]*\n$/);
        assert.match(stderr, message);
      };
      await clipscope(["embed", "--images", red, "--out", other, "--tap", "visual.ln_post"]);
      await refused(/other\.safetensors: expected features of the tap "visual", found "visual\.ln_post"/);
      await writeFile(folder.file("texts.txt"), "red\n");
      await clipscope(["embed", "--texts", folder.file("texts.txt"), "--out", other]);
      await refused(/expected the paths of the images, found none/);
      const features = await readFeatures(file);
      const metadata = { ...features.metadata, model_sha256: "0".repeat(64), model: "another" };
      await writeFeatures(other, { ...features, metadata });
      await refused(/made with another model than the model in use: expected demo-model .* found another/);
    });

    it("is not combined with images", async () => {
      const { status, stderr } = await clipscope(["search", "red", red, "--features", file]);
      assert.equal(status, 2);
      assert.match(stderr, /or a features file \(--features\), but not both\n$/);
    });
  });

  const wrong: [args: () => string[], message: RegExp][] = [
    [() => [], /^clipscope: expected a text to search for .*\n$/],
    [() => [" ", red], /^clipscope: expected a text to search for .*\n$/],
    [() => ["red"], /^clipscope: expected image files or folders to search in, or a features file .*\n$/],
    [
      () => ["--image", red],
      /^clipscope: expected image files or folders to search in, or a features file .*\n$/,
    ],
    [
      () => ["--image", red, ""],
      /^clipscope: expected image files or folders to search in, or a features file .*\n$/,
    ],
    [() => ["--image", text, red], /^clipscope: .*text\.png: .*\n$/],
    [() => ["--image", "no.png", red], /^clipscope: no\.png: .*\n$/],
  ];
  for (const [args, message] of wrong) {
    it(`refuses wrong use: ${message.source}`, async () => {
      const { status, stdout, stderr } = await clipscope(["search", ...args()]);
      assert.deepEqual([status, stdout], [2, ""]);
      assert.match(stderr, message);
    });
  }
});
