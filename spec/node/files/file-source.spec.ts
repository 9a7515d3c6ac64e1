import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { mkdir } from "node:fs/promises";
import { clipscope } from "../../support/cli.ts";
import { fixture, packageRoot } from "../../support/paths.ts";
import { makePipe, makeSocket } from "../../support/special-files.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const image = fixture("demo-model/samples/two-red-circles.png");

describe("pipes, sockets, devices and /proc as files", () => {
  const folder = temporaryFolder();

  const commands: readonly (readonly [title: string, args: (path: string) => string[]])[] = [
    ["an image", (path) => ["classify", path, "--labels", "red"]],
    ["--labels-file", (path) => ["classify", image, "--labels-file", path]],
    ["--list", (path) => ["embed", "--list", path, "--out", folder.file("out.safetensors")]],
    ["--texts", (path) => ["embed", "--texts", path, "--out", folder.file("out.safetensors")]],
    ["--features", (path) => ["search", "red", "--features", path]],
    ["--probe", (path) => ["probe", "predict", image, "--probe", path]],
    ["a file of weights", (path) => ["inspect", path]],
    ["--golden", (path) => ["verify", "--golden", path]],
    ["--model", (path) => ["tokenize", "red", "--model", path]],
  ];
  for (const [title, args] of commands) {
    it(`gives an error of one line for each, as ${title}`, async () => {
      const socket = folder.file("socket.png");
      const server = await makeSocket(socket);
      try {
        const paths = [makePipe(folder.file("pipe.png")), socket, "/dev/zero", "/dev/null", "/proc/self/mem"];
        for (const path of paths) {
          const { status, stdout, stderr } = await clipscope(args(path));
          assert.deepEqual([status, stdout], [2, ""], `${path}: ${stderr}`);
          // /proc/self/mem is an empty file, by its size.
          assert.match(stderr, /^clipscope: [^\n]*\n$/);
          assert.doesNotMatch(stderr, /internal error/, path);
          if (!path.startsWith("/proc") && title !== "--model") {
            assert.match(stderr, /expected a file, found a (pipe|socket|device|socket or a device)\b/, path);
          }
        }
      } finally {
        server.close();
      }
    });
  }

  it("are reported among other images, which continue", async () => {
    await mkdir(folder.file("album"));
    makePipe(folder.file("album", "a.png"));
    const { status, stdout, stderr } = await clipscope([
      "classify",
      folder.file("album"),
      image,
      ...["--labels", "red", "--json"],
    ]);
    assert.equal(status, 2);
    assert.equal((JSON.parse(stdout) as unknown[]).length, 1);
    assert.match(stderr, /^clipscope: .*a\.png: expected a file, found a pipe\n$/);
  });

  it("gives an error for a pipe as a file of a model", async () => {
    await mkdir(folder.file("model"));
    makePipe(folder.file("model", "open_clip_config.json"));
    const { status, stderr } = await clipscope(["tokenize", "red", "--model", folder.file("model")]);
    assert.equal(status, 2);
    assert.match(stderr, /^clipscope: .*open_clip_config\.json: expected a file, found a pipe\n$/);
  });

  it("reads a list from a pipe that the shell has opened", function () {
    this.timeout(20_000);
    const script = 'printf "two red circles\\na star\\n" | "$0" "$@" --labels-file /dev/stdin --json';
    const args = [process.execPath, "bin/clipscope.js", "classify", image];
    const { status, stdout } = spawnSync("sh", ["-c", script, ...args], { cwd: packageRoot });
    assert.equal(status, 0);
    const [first] = JSON.parse(stdout.toString()) as { scores: { label: string }[] }[];
    assert.deepEqual(
      first!.scores.map(({ label }) => label),
      ["two red circles", "a star"],
    );
  });
});
