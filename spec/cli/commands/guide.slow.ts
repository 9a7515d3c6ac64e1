import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { Jimp } from "jimp";
import { demoModel } from "../../../lib/node/models/model-directory.ts";
import { clipscope, clipscopeProcess, type Result } from "../../support/cli.ts";
import { writeEnglishModel } from "../../support/english-model.ts";
import { temporaryFolder } from "../../support/temporary.ts";

interface Report {
  readonly prompts: readonly {
    readonly text: string;
    readonly weight: number;
    readonly before: number;
    readonly similarity: number;
    readonly judge: number | null;
  }[];
  readonly losses: readonly number[];
  readonly files: readonly string[];
}

const small = ["--size", "84", "--cutouts", "2"];
const quick = [...small, "--steps", "3", "--every", "2"];

describe("clipscope guide", () => {
  const folder = temporaryFolder();

  const guide = (...args: string[]): Promise<Result> =>
    clipscope(["guide", "--out", folder.file("out"), ...args]);

  async function report(...args: string[]): Promise<Report> {
    const { status, stdout, stderr } = await guide("--json", ...args);
    assert.deepEqual([status, stderr], [0, ""]);
    return JSON.parse(stdout) as Report;
  }

  it("writes the steps, a strip and the image, whose similarity is that of search", async () => {
    const found = await report("a red circle", "a blue square:-0.5", ...quick);
    const names = ["step-0000", "step-0002", "step-0003", "image", "strip"].map((name) => `${name}.png`);
    assert.deepEqual(
      found.files,
      names.map((name) => folder.file(`out/${name}`)),
    );
    assert.deepEqual((await readdir(folder.file("out"))).sort(), names.sort());
    assert.equal(found.losses.length, 3);
    const image = folder.file("out/image.png");
    assert.deepEqual(await readFile(image), await readFile(folder.file("out/step-0003.png")));
    const [strip, one] = [await Jimp.read(folder.file("out/strip.png")), await Jimp.read(image)];
    assert.deepEqual([one.width, one.height, strip.width, strip.height], [84, 84, 3 * 84 + 4, 84]);
    for (const { text, similarity, judge } of found.prompts) {
      const { stdout } = await clipscope(["search", text, image, "--json"]);
      const [match] = JSON.parse(stdout) as [{ similarity: number }];
      assert.ok(Math.abs(match.similarity - similarity) < 1e-5, text);
      assert.equal(judge, null);
    }
    assert.deepEqual(
      found.prompts.map(({ weight }) => weight),
      [1, -0.5],
    );
  });

  it("raises the similarity, from an image too, and asks a second model", async () => {
    const judge = await writeEnglishModel(folder.file("judge"));
    const from = `${demoModel}/samples/orange-heart.jpg`;
    const { prompts } = await report(
      "a blue square",
      ...["--from", from, "--judge", judge, "--lr", "0.1", ...small, "--steps", "12"],
    );
    const [{ before, similarity, judge: judged }] = prompts as [Report["prompts"][0]];
    assert.ok(similarity > before + 0.02, `${before} ${similarity}`);
    assert.ok(judged !== null && Math.abs(judged) <= 1);
    const { stdout } = await clipscope([
      "search",
      "a blue square",
      folder.file("out/image.png"),
      "--model",
      judge,
      "--json",
    ]);
    assert.ok(Math.abs((JSON.parse(stdout) as [{ similarity: number }])[0].similarity - judged) < 1e-5);
  });

  it("prints a table", async () => {
    const { status, stdout } = await guide("a red circle:2", ...quick);
    assert.equal(status, 0);
    const [head, row, , ...files] = stdout.trimEnd().split("\n");
    assert.match(head!, /^similarity to +weight +before +after$/);
    assert.match(row!, /^a red circle +2 +-?0\.\d{3} +-?0\.\d{3}$/);
    assert.deepEqual(
      files,
      ["image", "strip"].map((name) => folder.file(`out/${name}.png`)),
    );
  });

  for (const [args, message] of [
    [["a cat:0"], 'prompt "a cat:0": expected a weight other than 0'],
    [[" :1"], 'prompt " :1": expected a text, found a blank one'],
    [["a cat:-1"], "expected a prompt with a weight above 0"],
    [["a cat", "--size", "28"], "--size: expected 84 pixels or more, the model's input, found 28x28"],
    [["a cat", "--from", "nowhere.png"], "nowhere.png: no such file or folder"],
  ] as const) {
    it(`refuses ${args.join(" ")}`, async () => {
      const result = await guide(...args);
      assert.deepEqual(result, { status: 2, stdout: "", stderr: `clipscope: ${message}\n` });
    });
  }

  it("leaves complete files when it is interrupted", async () => {
    const out = folder.file("interrupted");
    const { signal, stderr } = await clipscopeProcess(
      [
        "guide",
        "a red circle",
        "--out",
        out,
        "--size",
        "84",
        "--cutouts",
        "2",
        "--steps",
        "5000",
        "--every",
        "1",
      ],
      { interruptAfter: 6000 },
    );
    assert.deepEqual([signal, stderr], ["SIGINT", ""]);
    const names = await readdir(out);
    assert.ok(names.includes("strip.png") && names.includes("image.png"), names.join());
    for (const name of names) {
      assert.match(name, /^(step-\d{4}|strip|image)\.png$/);
      assert.ok((await Jimp.read(`${out}/${name}`)).height === 84, name);
    }
  });
});
