/**
 * Training runs that are killed, or that meet a full disk. Continued, they have the bytes of an undisturbed run.
 *
 * CLIPSCOPE_KILLS is the number of kills.
 */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout } from "node:timers/promises";
import { clipscopeProcess } from "../support/cli.ts";
import { randomFrom } from "../support/faults/trial.ts";
import { packageRoot } from "../support/paths.ts";
import { temporaryFolder } from "../support/temporary.ts";
import { trainArguments, writePairs } from "../support/training-run.ts";

const kills = Number(process.env["CLIPSCOPE_KILLS"] ?? 6);
const seed = Number(process.env["CLIPSCOPE_SEED"] ?? 1);

/** Everything that a run leaves, but its log, which has times. */
function contentOf(folder: string, below = ""): Record<string, string> {
  const content: Record<string, string> = {};
  for (const entry of readdirSync(join(folder, below), { withFileTypes: true })) {
    const path = join(below, entry.name);
    if (entry.isDirectory()) Object.assign(content, contentOf(folder, path));
    else if (!["out.log", "params.txt"].includes(entry.name)) {
      content[path] = readFileSync(join(folder, path)).toString("latin1");
    }
  }
  return content;
}

describe("a training run", function () {
  this.timeout(0);
  const folder = temporaryFolder();
  const options = {
    epochs: "3",
    resume: "latest",
    "cache-image-features": true,
    "lock-image": true,
  } as const;
  const argumentsOf = (logs: string): string[] => {
    const pairs = folder.file("pairs.csv");
    writePairs(pairs);
    return trainArguments(pairs, folder.file(logs), { ...options, "val-data": pairs });
  };

  it(`killed ${kills} times and continued, has the bytes of one that was not`, async () => {
    const random = randomFrom(seed);
    const begin = performance.now();
    const whole = await clipscopeProcess(argumentsOf("whole"));
    const duration = performance.now() - begin;
    assert.deepEqual([whole.status, whole.stderr], [0, ""]);
    const expected = contentOf(folder.file("whole", "run"));
    const names = ["image-features.safetensors", "loss.svg", "steps.jsonl"];
    for (const epoch of [1, 2, 3]) names.push(join("checkpoints", `epoch_${epoch}.pt`));
    for (const name of names) assert.ok(name in expected, name);
    for (let kill = 0; kill < kills; kill++) {
      const logs = `logs-${kill}`;
      const child = spawn(process.execPath, ["bin/clipscope.js", ...argumentsOf(logs)], { cwd: packageRoot });
      const ended = once(child, "close");
      // Past the start of the process, where nothing is written.
      await setTimeout(duration * (0.15 + 0.85 * random()));
      child.kill("SIGKILL");
      await ended;
      const result = await clipscopeProcess(argumentsOf(logs));
      assert.deepEqual([result.status, result.stderr], [0, ""], `kill ${kill}`);
      const found = contentOf(folder.file(logs, "run"));
      for (const [name, bytes] of Object.entries(expected)) {
        assert.ok(found[name] === bytes, `kill ${kill}: ${name} differs`);
      }
      assert.deepEqual(Object.keys(found).sort(), Object.keys(expected).sort(), `kill ${kill}`);
    }
  });

  it("that cannot write a checkpoint says so, leaves none behind, and continues later", async () => {
    mkdirSync(folder.file("logs"));
    // The features of the images fit below the limit of 1 MB, a checkpoint does not.
    const full = await clipscopeProcess(argumentsOf("logs"), { fileLimit: 2048 });
    assert.equal(full.status, 2);
    assert.match(full.stderr, /^clipscope: .*epoch_1\.pt: [^\n]+\n$/);
    const left = readdirSync(folder.file("logs", "run", "checkpoints"));
    assert.deepEqual(
      left.filter((name) => /\.pt|\.clipscope/.test(name)),
      [],
    );
    const later = await clipscopeProcess(argumentsOf("logs"));
    assert.deepEqual([later.status, later.stderr], [0, ""]);
    const whole = await clipscopeProcess(argumentsOf("whole"));
    assert.equal(whole.status, 0);
    assert.deepEqual(contentOf(folder.file("logs", "run")), contentOf(folder.file("whole", "run")));
  });
});
