import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { clipscopeProcess } from "../support/cli.ts";
import { fixture } from "../support/paths.ts";

describe("the clipscope process", () => {
  it("prints its version", async () => {
    const { status, stdout } = await clipscopeProcess(["--version"]);
    assert.equal(status, 0);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
  });

  it("does not load tfjs for tokenize", async () => {
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

  it("exits with status 2 and one line after wrong use", async () => {
    const { status, stdout, stderr } = await clipscopeProcess(["tokenise", "x"]);
    assert.deepEqual([status, stdout], [2, ""]);
    assert.match(stderr, /^clipscope: .*\n$/);
  });

  it("is terminated by SIGINT", async () => {
    const { status, signal } = await clipscopeProcess(["tokenize", "--file", "-"], { interruptAfter: 400 });
    assert.deepEqual([status, signal], [null, "SIGINT"]);
  });

  it("reports an internal error in one line", async () => {
    const nodeArgs = ["--import", "data:text/javascript,setTimeout(()=>{throw new Error('boom')},400)"];
    const { status, stderr } = await clipscopeProcess(["tokenize", "--file", "-"], { nodeArgs });
    assert.deepEqual([status, stderr], [2, "clipscope: internal error: boom (--debug shows where)\n"]);
  });

  it("exits quietly if the reader closes the pipe", async () => {
    const { status, stderr } = await clipscopeProcess(["tokenize", "--file", "package-lock.json"], {
      stopReading: "after the first bytes",
    });
    assert.deepEqual([status, stderr], [0, ""]);
  });

  it("keeps its exit status if the reader closes the pipe", async () => {
    const image = fixture("demo-model/samples/two-red-circles.png");
    const { status, stderr } = await clipscopeProcess(
      ["classify", "missing.png", image, "--labels", "two red circles,a blue heart", "--backend", "wasm"],
      { stopReading: "at once" },
    );
    assert.deepEqual([status, stderr], [2, "clipscope: missing.png: no such file or folder\n"]);
  });

  it("exits with status 1 after a failed check if the reader closes the pipe", async () => {
    const { status, stderr } = await clipscopeProcess(
      [
        ...["verify", "--golden", fixture("tiny/plain/golden.safetensors"), "--tolerance", "1e-30"],
        ...["--model", fixture("tiny/plain"), "--backend", "wasm"],
      ],
      { stopReading: "at once" },
    );
    assert.deepEqual([status, stderr], [1, ""]);
  });

  // Linux only.
  if (existsSync("/dev/full")) {
    for (const args of [["tokenize", "a"], ["--help"], ["inspect", "--json"], ["native", "--help"]]) {
      it(`${args.join(" ")}: reports a full disk in one line`, async () => {
        const { status, stderr } = await clipscopeProcess(args, { stdoutFile: "/dev/full" });
        assert.deepEqual(
          [status, stderr],
          [2, "clipscope: standard output: no space left on device; the output is incomplete\n"],
        );
      });
    }
  }
});
