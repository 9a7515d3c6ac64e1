import assert from "node:assert/strict";
import { readdir } from "node:fs/promises";
import { clipscope } from "../support/cli.ts";
import { packageRoot } from "../support/paths.ts";

describe("clipscope", () => {
  it("lists its commands within 80 columns", async () => {
    const { status, stdout, stderr } = await clipscope(["--help"]);
    assert.deepEqual([status, stderr], [0, ""]);
    const files = await readdir(`${packageRoot}cli/commands`);
    for (const file of files) {
      const [name] = file.split(/[-.]/);
      assert.match(stdout, new RegExp(`^  ${name} `, "m"));
    }
    for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
  });

  for (const name of ["classify", "search", "tokenize", "probe fit"]) {
    it(`${name} --help has examples`, async () => {
      const { status, stdout } = await clipscope([...name.split(" "), "--help"]);
      assert.equal(status, 0);
      assert.match(stdout, /--model <dir>/);
      assert.match(stdout, new RegExp(`Examples:\n  clipscope ${name} `));
      assert.equal((await clipscope(["help", ...name.split(" ")])).stdout, stdout);
    });
  }

  it("lists the commands of a group", async () => {
    const { status, stdout } = await clipscope(["probe", "--help"]);
    assert.equal(status, 0);
    assert.match(stdout, /^ {2}fit +fit a probe[^]*^ {2}eval [^]*^ {2}predict [^]*^ {2}layers /m);
    assert.deepEqual(await clipscope(["help", "probe"]), { status: 0, stdout, stderr: "" });
    assert.equal((await clipscope(["help"])).stdout, (await clipscope(["--help"])).stdout);
  });

  it("prints its help to standard error without a command", async () => {
    const { status, stdout, stderr } = await clipscope([]);
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, /^Usage: clipscope /);
  });

  const wrong: [args: string[], message: string][] = [
    [["clasify"], "clipscope: unknown command 'clasify' (Did you mean classify?)\n"],
    [
      ["classify", "a.png", "--lables", "x"],
      "clipscope: unknown option '--lables' (Did you mean --labels?)\n",
    ],
    [["help", "nope"], "clipscope: unknown command 'nope'; \"clipscope help\" lists all commands\n"],
    [
      ["help", "probe", "nope"],
      "clipscope: unknown command 'probe nope'; \"clipscope help\" lists all commands\n",
    ],
    [["probe", "fitt"], "clipscope: unknown command 'fitt' (Did you mean fit?)\n"],
    [
      ["embed", "--images", "x", "--out", ""],
      "clipscope: option '--out <file>' argument '' is invalid. Expected a file name.\n",
    ],
    [
      ["tokenize", "x", "--model", ""],
      "clipscope: option '--model <dir>' argument '' is invalid. Expected a file name.\n",
    ],
    [["classify", "", "--labels", "x"], "clipscope: argument 'image' is empty; remove it or give a value\n"],
    [["convert", "model", ""], "clipscope: argument 'destination' is empty; remove it or give a value\n"],
    [["classify", "--labels", "x"], "clipscope: missing required argument 'image'\n"],
    [
      ["tokenize", "two", "texts"],
      "clipscope: too many arguments for 'tokenize'. Expected 1 argument but got 2.\n",
    ],
    [
      ["tokenize", "x", "--backend", "webgl"],
      "clipscope: option '--backend <name>' argument 'webgl' is invalid. Allowed choices are auto, tensorflow, " +
        "webgpu, wasm, cpu.\n",
    ],
    [
      ["search", "x", "y", "--top", "0"],
      "clipscope: option '--top <k>' argument '0' is invalid. Expected a whole number above 0.\n",
    ],
    [
      ["search", "x", "y", "--top", "1", "--top", "2"],
      "clipscope: option '--top <k>' argument '2' is invalid. It is given twice.\n",
    ],
    [["tokenize", "x", "--model", "nowhere"], "clipscope: nowhere: no such file or folder\n"],
    [
      ["tokenize", "x", "--model", "package.json"],
      "clipscope: package.json: expected a model directory, found a file\n",
    ],
    [
      ["tokenize", "x", "--model", "fixtures"],
      "clipscope: fixtures: no open_clip_config.json; add the file or name the architecture\n",
    ],
  ];
  for (const [args, message] of wrong) {
    it(`refuses: ${args.join(" ")}`, async () => {
      assert.deepEqual(await clipscope(args), { status: 2, stdout: "", stderr: message });
    });
  }

  it("shows no default of options that collect values", async () => {
    const { stdout } = await clipscope(["query", "--help"]);
    assert.match(stdout, /--minus <text>/);
    assert.doesNotMatch(stdout.replaceAll(/\s+/g, " "), /default: \[\]/);
  });

  it("takes global options before the command's name", async () => {
    const { stderr } = await clipscope(["--model", "nowhere", "tokenize", "x"]);
    assert.equal(stderr, "clipscope: nowhere: no such file or folder\n");
  });
});
