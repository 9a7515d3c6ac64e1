import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { cp, mkdir, readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { demoModel, openWeightsFile } from "../../../lib/node/models/model-directory.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { roundFloats, toFloat32 } from "../../../lib/tensor/dtype.ts";
import { InputError } from "../../../lib/errors/input-error.ts";
import { encodeSafetensors } from "../../../lib/tensor/safetensors.ts";
import { tensorInfo, type TensorStore } from "../../../lib/tensor/store.ts";
import { convert, type ConvertReport } from "../../../tools/convert/convert.ts";
import { clipscopeProcess } from "../../support/cli.ts";
import { fixture, packageRoot } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

const weights = "open_clip_model.safetensors";
const model = fixture("tiny/no-projection");
const index = `${model}/open_clip_model.safetensors.index.json`;

const open = async (path: string): Promise<TensorStore> => (await openWeightsFile(path)).store;

describe("convert", () => {
  const folder = temporaryFolder();

  /** Copies a checkpoint next to the config and the text network of the tiny model. */
  async function withModelFiles(checkpoint: string): Promise<string> {
    const place = folder.file("source");
    await mkdir(place, { recursive: true });
    for (const name of ["open_clip_config.json", "text"]) {
      await cp(`${model}/${name}`, `${place}/${name}`, { recursive: true });
    }
    await cp(fixture(`checkpoints/${checkpoint}`), `${place}/${checkpoint}`);
    return `${place}/${checkpoint}`;
  }

  async function assertSameAsModel(path: string): Promise<void> {
    const [ours, theirs] = [await open(`${path}/${weights}`), await open(index)];
    assert.deepEqual([...ours.tensors.keys()].sort(), [...theirs.tensors.keys()].sort());
    for (const name of theirs.tensors.keys()) {
      assert.deepEqual(await ours.read(name), await theirs.read(name), name);
      assert.deepEqual(tensorInfo(ours, name).shape, tensorInfo(theirs, name).shape);
    }
    await ours.close();
    await theirs.close();
  }

  for (const file of ["training.pt", "training-legacy.pt", "exported.pt"]) {
    it(`${file} becomes a model directory that loads`, async () => {
      const destination = folder.file("model");
      const report = await convert(await withModelFiles(file), destination);
      assert.equal(report.tensors, 42);
      assert.deepEqual(report.dtypes, { BF16: 42 });
      assert.deepEqual(report.leftOut, []);
      const old = file === "exported.pt" ? [] : ["text.transformer.embeddings.position_ids"];
      assert.deepEqual(report.ignored, old);
      assert.deepEqual(report.files, ["open_clip_config.json", "text/config.json"]);
      await assertSameAsModel(destination);
      assert.deepEqual(await readdir(folder.path), ["model", "source"], "nothing else is left");
      const clip = await loadModel(destination);
      await clip.dispose();
    });
  }

  it("reads a PyTorch file in a model directory directly", async () => {
    const source = await withModelFiles("training.pt");
    const clip = await loadModel(folder.file("source"));
    await clip.dispose();
    assert.equal(source, folder.file("source", "training.pt"));
  });

  it("writes shards to one file", async () => {
    const report = await convert(model, folder.file("model"));
    assert.equal(report.format, "sharded safetensors");
    await assertSameAsModel(folder.file("model"));
  });

  it("rounds to the nearest, and counts overflowed and subnormal numbers", async () => {
    const source = fixture("tiny/gelu-mlp");
    for (const dtype of ["F16", "BF16", "F32"] as const) {
      const report = await convert(source, folder.file(dtype), { dtype });
      assert.deepEqual(report.dtypes, { [dtype]: 100 });
      const [ours, theirs] = [await open(folder.file(dtype, weights)), await open(`${source}/${weights}`)];
      let subnormal = 0;
      for (const [name, info] of theirs.tensors) {
        const rounded = roundFloats(info.dtype, dtype, await theirs.read(name));
        subnormal += rounded.subnormal;
        assert.deepEqual(toFloat32(dtype, await ours.read(name)), toFloat32(dtype, rounded.bytes), name);
      }
      assert.deepEqual([report.overflowed, report.subnormal], [0, subnormal]);
      await ours.close();
      await theirs.close();
    }
  });

  it("refuses to write infinities, unless allowed", async () => {
    const source = folder.file("large");
    await cp(fixture("tiny/gelu-mlp"), source, { recursive: true });
    const store = await open(`${source}/${weights}`);
    const tensors = await Promise.all(
      Array.from(store.tensors, async ([name, { dtype, shape }]) => {
        const bytes = (await store.read(name)).slice();
        if (name === "visual.ln_post.bias") new Float32Array(bytes.buffer).set([65520, -1e30, Infinity]);
        return { name, dtype, shape, bytes };
      }),
    );
    await store.close();
    await writeFile(`${source}/${weights}`, encodeSafetensors(tensors));
    await assert.rejects(convert(source, folder.file("model"), { dtype: "F16" }), (error: unknown) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, /2 numbers are too large for F16 .*--allow-overflow/);
      return true;
    });
    assert.deepEqual(await readdir(folder.path), ["large"]);
    const report = await convert(source, folder.file("model"), { dtype: "F16", allowOverflow: true });
    assert.equal(report.overflowed, 2);
  });

  it("reports tensors that the model lacks, and names those that are missing", async () => {
    const store = await open(fixture(`tiny/gelu-mlp/${weights}`));
    const tensors = await Promise.all(
      Array.from(store.tensors, async ([name, { dtype, shape }]) => ({
        name,
        dtype,
        shape,
        bytes: await store.read(name),
      })),
    );
    await store.close();
    const source = folder.file("strange");
    await cp(fixture("tiny/gelu-mlp"), source, { recursive: true });
    const extra = { name: "decoder.weight", dtype: "F32", shape: [1], bytes: new Uint8Array(4) } as const;
    await writeFile(`${source}/${weights}`, encodeSafetensors([...tensors, extra]));
    const report = await convert(source, folder.file("model"));
    assert.deepEqual(report.leftOut, ["decoder.weight"]);
    const result = await open(folder.file("model", weights));
    assert.ok(!result.tensors.has("decoder.weight"));
    await result.close();

    await writeFile(
      `${source}/${weights}`,
      encodeSafetensors(tensors.filter(({ name }) => name !== "visual.proj")),
    );
    await assert.rejects(convert(source, folder.file("other")), (error: unknown) => {
      assert.ok(error instanceof InputError);
      assert.match(error.message, /1 tensor does not match the architecture .*--arch/);
      assert.deepEqual(error.details, ["missing     visual.proj [40, 24]"]);
      return true;
    });
  });

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
        names.map((name) => name.replace(/-\w{6}$/, "")),
        left,
      );
      await assert.rejects(convert(model, destination), /already exists; use --force to replace it/);
      assert.deepEqual(await readdir(folder.path), ["model"]);
      await assertSameAsModel(destination);
    });
  }

  it("a full disk is an error of one line, and nothing is left behind", async () => {
    const { status, stderr } = await clipscopeProcess(["convert", demoModel, folder.file("model")], {
      fileLimit: 2000,
    });
    assert.equal(status, 2);
    assert.match(stderr, /^clipscope: .*model: a file may not grow so large here \(ulimit -f, .*\n$/);
    assert.deepEqual(await readdir(folder.path), []);
  });

  it("refuses an existing destination, and replaces only a model, with force", async () => {
    const destination = folder.file("model");
    await convert(fixture("tiny/gelu-mlp"), destination);
    await assert.rejects(convert(model, destination), /already exists; use --force to replace it/);
    await convert(model, destination, { force: true });
    await assertSameAsModel(destination);
    await writeFile(folder.file("model", "holiday.jpg"), "");
    await assert.rejects(convert(model, destination, { force: true }), /holds other files too/);
    await mkdir(folder.file("empty"));
    await assert.rejects(convert(model, folder.file("empty"), { force: true }), /this is another kind of folder/);
    await assert.rejects(convert(destination, destination, { force: true }), /contains the source/);
    await assert.rejects(convert(destination, folder.path, { force: true }), /contains the source/);
    await writeFile(folder.file("file"), "");
    await assert.rejects(convert(model, folder.file("file"), { force: true }), /found a file/);
  });

  it("leaves nothing behind for a source that is damaged or cut short", async () => {
    const source = await withModelFiles("training.pt");
    const { size } = await stat(source);
    const bytes = await readFile(source);
    const store = await open(source);
    const { offset } = tensorInfo(store, "visual.proj");
    await store.close();
    bytes[offset]! ^= 1;
    await writeFile(source, bytes);
    await assert.rejects(convert(source, folder.file("model")), /is damaged \(its checksum does not match\)/);
    await truncate(source, size - 1000);
    await assert.rejects(convert(source, folder.file("model")), InputError);
    assert.deepEqual(await readdir(folder.path), ["source"]);
  });

  it("leaves no model when it is killed at any moment", async function () {
    this.timeout(20_000);
    const program = `
      import { convert } from ${JSON.stringify(`${packageRoot}dist/tools/convert/convert.js`)};
      let reports = 0;
      await convert(process.argv[1], process.argv[2], { onProgress: () => { if (++reports === 120) process.kill(process.pid, "SIGKILL"); } });
    `;
    const child = spawn(
      process.execPath,
      ["--input-type=module", "-e", program, fixture("tiny/gelu-mlp"), folder.file("model")],
      { stdio: "inherit" },
    );
    const [, signal] = (await once(child, "exit")) as [number | null, string | null];
    assert.equal(signal, "SIGKILL");
    const [left, ...others] = await readdir(folder.path);
    assert.match(left!, /^model\.partial-/);
    assert.deepEqual(others, []);
    await assert.rejects(loadModel(folder.file(left!)), InputError);
    await convert(fixture("tiny/gelu-mlp"), folder.file("model"));
  });

  it("infers the architecture from shapes, and lists the others that match", async function () {
    this.timeout(20_000);
    const { recognizeArchitecture } = await import("../../../lib/clip/config/recognize.ts");
    const { declaredTensors } = await import("../../../lib/clip/network.ts");
    const { architectureByName, parseClipConfig } = await import("../../../lib/clip/config/open-clip.ts");
    for (const [arch, names] of Object.entries({
      "ViT-B-32-quickgelu": ["ViT-B-32", "ViT-B-32-quickgelu"],
      "xlm-roberta-base-ViT-B-32": ["xlm-roberta-base-ViT-B-32"],
      "xlm-roberta-large-ViT-H-14": ["xlm-roberta-large-ViT-H-14"],
    })) {
      const config = await parseClipConfig(architectureByName(arch), arch, () => Promise.resolve(null));
      const tensors = new Map(
        Array.from(declaredTensors(config), ([name, shape]) => [
          name,
          { shape, dtype: "F16" as const, offset: 0, size: 0 },
        ]),
      );
      assert.deepEqual(await recognizeArchitecture(tensors), names);
    }
    await assert.rejects(
      convert(fixture("checkpoints/training.pt"), folder.file("model")),
      /its tensors do not match a known architecture; put open_clip_config\.json next to it/,
    );
  });

  it("reports progress until all is written and verified", async () => {
    const seen: [number, number][] = [];
    const report: ConvertReport = await convert(model, folder.file("model"), {
      onProgress: (...now) => seen.push(now),
    });
    assert.deepEqual(seen.at(-1), [2 * report.bytes, 2 * report.bytes]);
    assert.ok(seen.every(([done], i) => i === 0 || done > seen[i - 1]![0]));
  });
});
