import assert from "node:assert/strict";
import { cp, writeFile } from "node:fs/promises";
import { demoModel } from "../../../lib/node/models/model-directory.ts";
import { clipscope, type Result } from "../../support/cli.ts";
import { writeImage } from "../../support/images.ts";
import { chineseModel } from "../../support/origins.ts";
import { temporaryFolder } from "../../support/temporary.ts";

interface Score {
  readonly label: string;
  readonly probability: number;
}
interface Compared {
  readonly path: string;
  readonly models: readonly { readonly model: string; readonly scores: readonly Score[] }[];
}

describe("clipscope compare", () => {
  const folder = temporaryFolder();
  let image: string;
  let copy: string;
  let chinese: string;

  beforeEach(async () => {
    image = folder.file("red.png");
    await writeImage(image, 0xff0000);
    copy = folder.file("copy");
    await cp(demoModel, copy, { recursive: true });
    chinese = await chineseModel(folder.file("chinese"));
  });

  const compare = (...args: readonly string[]): Promise<Result> =>
    clipscope(["compare", ...args, "--model", demoModel, "--model", chinese]);
  const json = async (...args: readonly string[]): Promise<Compared[]> => {
    const { status, stdout, stderr } = await compare(...args, "--json");
    assert.deepEqual([status, stderr], [0, ""]);
    return JSON.parse(stdout) as Compared[];
  };

  it("--json prints each model's scores as classify computes them, in the order of the labels", async () => {
    const [result, ...others] = await json(image, "--labels", "a,b");
    assert.equal(others.length, 0);
    assert.deepEqual(
      result!.models.map(({ model }) => model),
      [demoModel, chinese],
    );
    for (const { model, scores } of result!.models) {
      const alone = await clipscope(["classify", image, "--labels", "a,b", "--json", "--model", model]);
      const [{ scores: expected }] = JSON.parse(alone.stdout) as [{ scores: Score[] }];
      assert.deepEqual(
        scores,
        expected.sort((x, y) => (x.label < y.label ? -1 : 1)),
      );
    }
  });

  it("asks each model in its own language, with its own templates", async () => {
    const own = ["--labels", "red,blue", "--labels", "猫,狗", "--template", "a {}", "--template", "一只{}"];
    const [result] = await json(image, ...own);
    const labels = result!.models.map(({ scores }) => scores.map(({ label }) => label));
    assert.deepEqual(labels, [["red", "blue"], ["猫", "狗"]]); // prettier-ignore
    await writeFile(folder.file("en"), "a {}\n\n");
    await writeFile(folder.file("zh"), "一只{}\n");
    const files = ["--templates", folder.file("en"), "--templates", folder.file("zh")];
    assert.deepEqual(await json(image, ...own.slice(0, 4), ...files), [result]);
  });

  it("prints a column for each model, and its labels if they differ", async () => {
    const { status, stdout } = await compare(image, "--labels", "red,blue", "--labels", "猫,狗");
    assert.equal(status, 0);
    const [path, head, first, second] = stdout.split("\n");
    assert.equal(path, image);
    assert.match(head!, /demo-model +chinese$/);
    assert.match(first!, /^ {2}red +\d+\.\d% [* ] +猫 +\d+\.\d%/);
    assert.match(second!, /^ {2}blue +\d+\.\d% [* ] +狗 +\d+\.\d%/);
    assert.equal(stdout.match(/\*/g)?.length, 2, "each model's best label has a star");
  });

  it("tells models of one folder name apart", async () => {
    const other = folder.file("deeper");
    await cp(demoModel, `${other}/copy`, { recursive: true });
    const args = ["compare", image, "--labels", "a,b", "--model", copy, "--model", `${other}/copy`];
    assert.match((await clipscope(args)).stdout, /\/copy +deeper\/copy/);
  });

  it("reports an unreadable image once, and compares the others", async () => {
    const text = folder.file("text.png");
    await writeFile(text, "not an image");
    const { status, stdout, stderr } = await compare(text, image, "--labels", "a,b", "--json");
    assert.equal(status, 2);
    assert.equal(stderr.split("\n").length, 2, stderr);
    assert.deepEqual(
      (JSON.parse(stdout) as Compared[]).map(({ path }) => path),
      [image],
    );
  });

  const refused: readonly (readonly [readonly string[], RegExp])[] = [
    [
      [],
      /expected class names|--labels: expected it once, or once for each of the 2 models, found it 0 times/,
    ],
    [["--labels", "a", "--labels", "b", "--labels", "c"], /--labels: expected it once.*found it 3 times/],
    [
      ["--labels", "a,b", "--labels", "a"],
      /--labels: expected 2 labels for .*chinese, as for the first model, found 1/,
    ],
    [["--labels", "a,b", "--template", "x"], /\{\}/],
    [
      ["--labels", "a,b", "--template", "{}", "--templates", "file"],
      /expected --template or --templates, found both/,
    ],
    [["--labels", "a,b", "-"], /standard input \(-\) can be read once/],
  ];
  for (const [args, message] of refused) {
    it(`refuses ${args.join(" ") || "no labels"}`, async () => {
      const { status, stdout, stderr } = await compare(image, ...args);
      assert.deepEqual([status, stdout], [2, ""]);
      assert.match(stderr, message);
      assert.equal(stderr.split("\n").length, 2, stderr);
    });
  }

  it("refuses one model alone", async () => {
    const { status, stderr } = await clipscope(["compare", image, "--labels", "a,b", "--model", copy]);
    assert.equal(status, 2);
    assert.match(stderr, /expected --model twice or more, found 1; "clipscope classify" asks one model/);
  });

  it("refuses a missing model before it runs another one", async () => {
    const models = ["--model", copy, "--model", folder.file("gone")];
    const { status, stderr } = await clipscope([
      "compare",
      folder.file("no.png"),
      "--labels",
      "a,b",
      ...models,
    ]);
    assert.equal(status, 2);
    assert.match(stderr, /gone/);
  });
});
