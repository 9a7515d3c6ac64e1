import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync } from "node:fs";
import { mkdir, readdir, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { InputError } from "../../../lib/errors/input-error.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { convert } from "../../../tools/convert/convert.ts";
import { clipscopeProcess } from "../../support/cli.ts";
import { fixture, packageRoot } from "../../support/paths.ts";
import { assertSameTensors } from "../../support/same-tensors.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const weights = "open_clip_model.safetensors";
const model = fixture("tiny/no-projection");
const index = `${model}/open_clip_model.safetensors.index.json`;

describe("withNewFolder", () => {
  const folder = temporaryFolder();

  for (const [moment, lastRename, left] of [
    ["between the two renames of --force", /\.replaced-/, ["model.partial", "model.replaced"]],
    ["before the old model is deleted", /\/model$/, ["model", "model.replaced"]],
  ] as const) {
    it(`after a kill ${moment}, the next run finishes the replacement`, async () => {
      const destination = folder.file("model");
      await convert(fixture("tiny/gelu-mlp"), destination);
      const kill = `
        import fs from "node:fs";
        import { syncBuiltinESMExports } from "node:module";
        const { rename } = fs.promises;
        fs.promises.rename = async (from, to) => {
          await rename(from, to);
          if (${String(lastRename)}.test(to)) process.kill(process.pid, "SIGKILL");
        };
        syncBuiltinESMExports();`;
      const { signal } = await clipscopeProcess(["convert", model, destination, "--force"], {
        nodeArgs: ["--import", `data:text/javascript,${encodeURIComponent(kill)}`],
      });
      assert.equal(signal, "SIGKILL");
      const names = await readdir(folder.path);
      assert.deepEqual(
        names.map((name) => name.replace(/-\w{6}$/, "")).filter((name) => name !== "model.clipscope.lock"),
        left,
      );
      await assert.rejects(convert(model, destination), /already exists; use --force to replace it/);
      assert.deepEqual(await readdir(folder.path), ["model"]);
      await assertSameTensors(`${destination}/${weights}`, index);
    });
  }

  it("refuses an existing destination, and replaces only a model, with force", async () => {
    const destination = folder.file("model");
    await convert(fixture("tiny/gelu-mlp"), destination);
    await assert.rejects(convert(model, destination), /already exists; use --force to replace it/);
    await convert(model, destination, { force: true });
    await assertSameTensors(`${destination}/${weights}`, index);
    await writeFile(folder.file("model", "holiday.jpg"), "");
    await assert.rejects(convert(model, destination, { force: true }), /holds other files too/);
    await mkdir(folder.file("empty"));
    await assert.rejects(
      convert(model, folder.file("empty"), { force: true }),
      /this is another kind of folder/,
    );
    await assert.rejects(convert(destination, destination, { force: true }), /contains the source/);
    await assert.rejects(convert(destination, folder.path, { force: true }), /contains the source/);
    await writeFile(folder.file("file"), "");
    await assert.rejects(convert(model, folder.file("file"), { force: true }), /found a file/);
  });

  it("keeps what is written next to it: another conversion, and a folder made meanwhile", async () => {
    const destination = folder.file("model");
    const others = ["model.v2.partial-a1b2c3", "model.partial-other", "model.partial-holiday"];
    for (const name of others) {
      await mkdir(folder.file(name));
      await writeFile(folder.file(name, weights), "");
    }
    await writeFile(folder.file("model.partial-holiday", "photo.jpg"), "");
    const work = convert(fixture("tiny/gelu-mlp"), destination, {
      onProgress: (done, total) => {
        if (done === total) mkdirSync(join(destination, "photos"), { recursive: true });
      },
    });
    await assert.rejects(work, /model: already exists; use --force to replace it/);
    assert.deepEqual(await readdir(destination), ["photos"]);
    assert.deepEqual((await readdir(folder.path)).sort(), ["model", ...others].sort());
  });

  it("has the permissions of other new folders", async () => {
    await convert(model, folder.file("model"));
    await mkdir(folder.file("other"));
    assert.equal((await stat(folder.file("model"))).mode, (await stat(folder.file("other"))).mode);
  });

  it("leaves no model when it is killed", async function () {
    this.timeout(20_000);
    const program = `
      import { convert } from ${JSON.stringify(`${packageRoot}dist/tools/convert/convert.js`)};
      const onProgress = (done, total) => { if (done > total / 2) process.kill(process.pid, "SIGKILL"); };
      await convert(process.argv[1], process.argv[2], { onProgress });
    `;
    const child = spawn(
      process.execPath,
      ["--input-type=module", "-e", program, fixture("tiny/gelu-mlp"), folder.file("model")],
      { stdio: "inherit" },
    );
    const [, signal] = (await once(child, "exit")) as [number | null, string | null];
    assert.equal(signal, "SIGKILL");
    const [lock, left, ...others] = await readdir(folder.path);
    assert.equal(lock, "model.clipscope.lock");
    assert.match(left!, /^model\.partial-/);
    assert.deepEqual(others, []);
    await assert.rejects(loadModel(folder.file(left!)), InputError);
    await convert(fixture("tiny/gelu-mlp"), folder.file("model"));
    assert.deepEqual(await readdir(folder.path), ["model"]);
  });
});
