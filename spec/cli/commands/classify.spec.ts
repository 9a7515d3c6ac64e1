import assert from "node:assert/strict";
import { readFile, writeFile } from "node:fs/promises";
import { stripVTControlCharacters } from "node:util";
import stringWidth from "string-width";
import { clipscope } from "../../support/cli.ts";
import { writeImage } from "../../support/images.ts";
import { temporaryFolder } from "../../support/temporary.ts";

interface Classified {
  readonly path: string;
  readonly scores: readonly { label: string; probability: number; logit: number }[];
}

describe("clipscope classify", () => {
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

  it("--json prints the labels of each image, best first", async () => {
    const { status, stdout, stderr } = await clipscope([
      "classify",
      red,
      blue,
      "--labels",
      "red, 青い ,x",
      "--json",
    ]);
    assert.deepEqual([status, stderr], [0, ""]);
    const result = JSON.parse(stdout) as Classified[];
    assert.deepEqual(
      result.map(({ path }) => path),
      [red, blue],
    );
    for (const { scores } of result) {
      assert.deepEqual(scores.map(({ label }) => label).sort(), ["red", "x", "青い"]);
      assert.ok(Math.abs(scores.reduce((sum, { probability }) => sum + probability, 0) - 1) < 1e-5);
      assert.ok(scores[0]!.logit >= scores[1]!.logit && scores[1]!.logit >= scores[2]!.logit);
      const ratio = Math.log(scores[0]!.probability / scores[1]!.probability);
      assert.ok(Math.abs(ratio - (scores[0]!.logit - scores[1]!.logit)) < 1e-3);
    }
  });

  it("takes an image from standard input, among files", async () => {
    const args = ["--labels", "red,blue", "--json"];
    const { status, stdout, stderr } = await clipscope(["classify", blue, "-", ...args], {
      stdin: await readFile(red),
    });
    assert.deepEqual([status, stderr], [0, ""]);
    const [first, second] = JSON.parse(stdout) as Classified[];
    assert.deepEqual([first!.path, second!.path], [blue, "standard input"]);
    const [direct] = JSON.parse((await clipscope(["classify", red, ...args])).stdout) as Classified[];
    assert.deepEqual(
      second!.scores.map(({ label }) => label),
      direct!.scores.map(({ label }) => label),
    );
    const damaged = await clipscope(["classify", "-", ...args], { stdin: Buffer.from("no image") });
    assert.deepEqual([damaged.status, damaged.stdout], [2, "[]\n"]);
    assert.match(damaged.stderr, /^clipscope: standard input: expected an image .*\n$/);
  });

  it("refuses standard input for two things", async () => {
    for (const args of [
      ["-", "-", "--labels", "red"],
      ["-", "--labels-file", "-"],
    ]) {
      const { status, stdout, stderr } = await clipscope(["classify", ...args], { stdin: "red\n" });
      assert.deepEqual([status, stdout], [2, ""]);
      assert.equal(stderr, "clipscope: standard input (-) is given twice; it can be read once\n");
    }
  });

  it("averages templates, in any order", async () => {
    const args = ["classify", red, "--labels", "red,blue", "--json"];
    const one = await clipscope([...args, "--template", "a {}", "--template", "{}!"]);
    const other = await clipscope([...args, "--template", "{}!", "--template", "a {}"]);
    const plain = await clipscope(args);
    const logits = ({ stdout }: { stdout: string }): number[] =>
      (JSON.parse(stdout) as Classified[])[0]!.scores.map(({ logit }) => logit);
    assert.ok(logits(one).every((logit, i) => Math.abs(logit - logits(other)[i]!) < 1e-4));
    assert.notDeepEqual(logits(one), logits(plain));
  });

  it("reads labels from a file, shows the best K, searches folders", async () => {
    const labels = folder.file("labels.txt");
    await writeFile(labels, "red, or so\r\nblue\r\ngreen\r\n");
    const args = ["classify", folder.path, "--labels-file", labels, "--top", "1", "--json"];
    const { status, stdout, stderr } = await clipscope(args);
    assert.equal(status, 2);
    assert.match(stderr, /^clipscope: .*text\.png: .*\n$/);
    const result = JSON.parse(stdout) as Classified[];
    assert.deepEqual(
      result.map(({ path, scores }) => [path, scores.length]),
      [
        [red, 1],
        [blue, 1],
      ],
    );
    assert.ok(["red, or so", "blue", "green"].includes(result[0]!.scores[0]!.label));
  });

  it("reads labels from standard input", async () => {
    const args = ["classify", red, "--labels-file", "-", "--json"];
    const { status, stdout } = await clipscope(args, { stdin: "red\nblue, or so\n" });
    assert.equal(status, 0);
    const [{ scores }] = JSON.parse(stdout) as [Classified];
    assert.deepEqual(scores.map(({ label }) => label).sort(), ["blue, or so", "red"]);
  });

  it("continues after an unreadable and a missing image, and ends with status 2", async () => {
    const { status, stdout, stderr } = await clipscope(["classify", text, "no.png", red, "--labels", "a,b"]);
    assert.equal(status, 2);
    assert.match(stdout, /a red\.png\n {2}[ab] +\d/);
    const [missing, bad, rest] = stderr.split("\n");
    assert.equal(missing, "clipscope: no.png: no such file or folder");
    assert.match(bad!, /^clipscope: .*text\.png: /);
    assert.equal(rest, "");
  });

  it("prints [] if no image can be read", async () => {
    const { status, stdout } = await clipscope(["classify", text, "--labels", "a", "--json"]);
    assert.deepEqual([status, stdout], [2, "[]\n"]);
  });

  for (const columns of [80, 40, 20]) {
    it(`fits ${columns} columns, with wide characters aligned`, async () => {
      const labels = "a cat,猫の写真,ein sehr langes Wort";
      const { stdout } = await clipscope(["classify", red, "--labels", labels], {
        columns,
        env: { NO_COLOR: "1" },
      });
      const rows = stdout.split("\n").slice(1, -1);
      assert.equal(rows.length, 3);
      const ends = rows.map((row) => stringWidth(row.slice(0, row.indexOf("%"))));
      assert.equal(new Set(ends).size, 1);
      for (const row of rows) assert.ok(stringWidth(row) <= columns, row);
      assert.equal(
        rows.some((row) => row.includes("█")),
        columns > 20,
      );
    });
  }

  it("uses colours only on a terminal, unless NO_COLOR or FORCE_COLOR is set", async () => {
    const args = ["classify", red, "--labels", "a,b"];
    const colored = async (around: Parameters<typeof clipscope>[1]): Promise<boolean> => {
      const { stdout } = await clipscope(args, around);
      return stripVTControlCharacters(stdout) !== stdout;
    };
    assert.equal(await colored({}), false);
    assert.equal(await colored({ env: { CI: "1" } }), false);
    assert.equal(await colored({ columns: 80 }), true);
    assert.equal(await colored({ columns: 80, env: { NO_COLOR: "1" } }), false);
    assert.equal(await colored({ columns: 80, env: { TERM: "dumb" } }), false);
    assert.equal(await colored({ env: { FORCE_COLOR: "1" } }), true);
  });

  it("shows progress on a terminal, for more than five images", async () => {
    const args = ["classify", "--labels", "a,b", "--top", "1"];
    const around = { columns: 80, env: { NO_COLOR: "1" } };
    const { stdout, stderr } = await clipscope([...args, ...Array<string>(7).fill(red)], around);
    assert.equal(stdout, stripVTControlCharacters(stdout));
    const [, ...lines] = stderr.split("\r\x1b[K").filter((line) => line !== "");
    assert.match(lines[0]!, /^ +0\/7 images$/);
    assert.match(lines.at(-1)!, /^█+ 7\/7 images, [\d.e+]+\/s, 0s left$/);
    assert.ok(stderr.endsWith("\r\x1b[K"));
    assert.doesNotMatch((await clipscope([...args, red], around)).stderr, /images/);
    assert.equal((await clipscope([...args, ...Array<string>(7).fill(red)])).stderr, "");
  });

  it("names the backend on a terminal", async () => {
    const { stderr } = await clipscope(["classify", red, "--labels", "a,b"], {
      columns: 80,
      env: { NO_COLOR: "1" },
    });
    assert.match(stderr, /^backend: .+\n$/);
  });

  const wrong: [args: string[], message: string][] = [
    [[], 'expected class names in either --labels ("cat,dog") or --labels-file'],
    [
      ["--labels", "a", "--labels-file", "b"],
      'expected class names in either --labels ("cat,dog") or --labels-file',
    ],
    [["--labels", "cat,,dog"], "--labels: label 2 is empty; remove it"],
    [["--labels", ""], "--labels: label 1 is empty; remove it"],
    [["--labels", "cat, cat"], 'the class name "cat" is given twice'],
    [
      ["--labels", "a cat,a  cat"],
      'the class names "a cat" and "a  cat" are the same after text cleaning; remove one',
    ],
    [["--labels-file", "-"], "standard input: line 2 is empty; remove it"],
    [["--labels-file", "nowhere"], "nowhere: no such file or folder"],
    [
      ["--labels", "a", "--template", "a photo"],
      'template "a photo": expected "{}" where the class name goes, as in "a photo of a {}"',
    ],
  ];
  for (const [args, message] of wrong) {
    it(`refuses: ${args.join(" ") || "no labels"}`, async () => {
      const result = await clipscope(["classify", red, ...args], { stdin: "cat\n\n" });
      assert.deepEqual(result, { status: 2, stdout: "", stderr: `clipscope: ${message}\n` });
    });
  }
});
