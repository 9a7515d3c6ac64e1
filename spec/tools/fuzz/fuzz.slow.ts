/** A minute of fuzzing. CLIPSCOPE_FUZZ_MINUTES and CLIPSCOPE_FUZZ_SEED give more. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { packageRoot } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("npm run fuzz", () => {
  const folder = temporaryFolder();

  it("finds nothing", async function () {
    const minutes = Number(process.env["CLIPSCOPE_FUZZ_MINUTES"] ?? 1);
    this.timeout((minutes + 4) * 60_000);
    const seed = process.env["CLIPSCOPE_FUZZ_SEED"] ?? "0";
    const { status, output } = await fuzz("--minutes", `${minutes}`, "--seed", seed, "--out", folder.path);
    console.log(output);
    assert.equal(status, 0, output);
  });

  it("reports wrong use, and replays an input", async () => {
    assert.match((await fuzz("--only", "nothing")).output, /--only: expected one of bmp/);
    const { status, output } = await fuzz("--only", "shard-index", "--replay", `${packageRoot}package.json`);
    assert.deepEqual(
      [status, output.trim()],
      [0, "refused: model.safetensors.index.json: expected weight_map to be an object, found nothing"],
    );
  });
});

async function fuzz(
  ...args: readonly string[]
): Promise<{ readonly status: number; readonly output: string }> {
  const child = spawn(process.execPath, [`${packageRoot}dist/tools/fuzz/fuzz.js`, ...args]);
  let output = "";
  for (const stream of [child.stdout, child.stderr])
    stream.on("data", (chunk: Buffer) => (output += chunk.toString()));
  const [status] = (await once(child, "close")) as [number];
  return { status, output };
}
