import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { clipscope } from "../../support/cli.ts";
import { writeImage } from "../../support/images.ts";
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

  const wrong: [args: () => string[], message: RegExp][] = [
    [() => [], /^clipscope: expected a text to search for .*\n$/],
    [() => [" ", red], /^clipscope: expected a text to search for .*\n$/],
    [() => ["red"], /^clipscope: expected image files or folders to search in\n$/],
    [() => ["--image", red], /^clipscope: expected image files or folders to search in\n$/],
    [() => ["--image", red, ""], /^clipscope: expected image files or folders to search in\n$/],
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
