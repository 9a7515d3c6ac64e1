import assert from "node:assert/strict";
import { clipscope, clipscopeProcess } from "../support/cli.ts";

describe("clipscope", () => {
  it("lists its commands within 80 columns", async () => {
    const { status, stdout, stderr } = await clipscope(["--help"]);
    assert.deepEqual([status, stderr], [0, ""]);
    for (const name of ["classify", "search", "tokenize", "doctor", "native"]) {
      assert.match(stdout, new RegExp(`^  ${name} `, "m"));
    }
    for (const line of stdout.split("\n")) assert.ok(line.length <= 80, line);
  });

  for (const name of ["classify", "search", "tokenize"]) {
    it(`${name} --help has examples`, async () => {
      const { status, stdout } = await clipscope([name, "--help"]);
      assert.equal(status, 0);
      assert.match(stdout, /--model <dir>/);
      assert.match(stdout, new RegExp(`Examples:\n  clipscope ${name} `));
    });
  }

  it("without a command shows how it is used, and fails", async () => {
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
    [["classify", "--labels", "x"], "clipscope: missing required argument 'image'\n"],
    [
      ["tokenize", "two", "texts"],
      "clipscope: too many arguments for 'tokenize'. Expected 1 argument but got 2.\n",
    ],
    [
      ["tokenize", "x", "--backend", "webgl"],
      "clipscope: option '--backend <name>' argument 'webgl' is invalid. Allowed choices are auto, tensorflow, " +
        "wasm, cpu.\n",
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
      "clipscope: fixtures: no open_clip_config.json; put it there or name the architecture with --arch\n",
    ],
  ];
  for (const [args, message] of wrong) {
    it(`refuses: ${args.join(" ")}`, async () => {
      assert.deepEqual(await clipscope(args), { status: 2, stdout: "", stderr: message });
    });
  }

  it("takes options of every command before its name too", async () => {
    const { stderr } = await clipscope(["--model", "nowhere", "tokenize", "x"]);
    assert.equal(stderr, "clipscope: nowhere: no such file or folder\n");
  });

  describe("as a process", () => {
    it("prints its version", async () => {
      const { status, stdout } = await clipscopeProcess(["--version"]);
      assert.equal(status, 0);
      assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
    });

    it("starts without tfjs for tokenize", async () => {
      const loadsNoTfjs = [
        "--import",
        "data:text/javascript,import{register}from'node:module';register('data:text/javascript,export async function resolve(s,c,n){if(s.startsWith(%2522@tensorflow%2522))throw new Error(s);return n(s,c)}')",
      ];
      const { status, stdout, stderr } = await clipscopeProcess(["tokenize", "a", "--json"], {
        nodeArgs: loadsNoTfjs,
      });
      assert.deepEqual([status, stderr], [0, ""]);
      assert.deepEqual((JSON.parse(stdout) as { text: string }[])[0]!.text, "a");
    });

    it("fails with status 2 and one line", async () => {
      const { status, stdout, stderr } = await clipscopeProcess(["tokenise", "x"]);
      assert.deepEqual([status, stdout], [2, ""]);
      assert.match(stderr, /^clipscope: .*\n$/);
    });

    it("ends by the signal of Ctrl-C", async () => {
      const { status, signal } = await clipscopeProcess(["tokenize", "--file", "-"], { interruptAfter: 400 });
      assert.deepEqual([status, signal], [null, "SIGINT"]);
    });

    it("says so in one line when something breaks that should not", async () => {
      const nodeArgs = ["--import", "data:text/javascript,setTimeout(()=>{throw new Error('boom')},400)"];
      const { status, stderr } = await clipscopeProcess(["tokenize", "--file", "-"], { nodeArgs });
      assert.deepEqual([status, stderr], [2, "clipscope: internal error: boom (--debug shows where)\n"]);
    });

    it("ends quietly when nobody reads on", async () => {
      const { status, stderr } = await clipscopeProcess(["tokenize", "--file", "package-lock.json"], {
        stopReading: true,
      });
      assert.deepEqual([status, stderr], [0, ""]);
    });
  });
});
