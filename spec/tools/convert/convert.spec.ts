import assert from "node:assert/strict";
import { cp, mkdir, readdir, readFile, stat, truncate, writeFile } from "node:fs/promises";
import { demoModel } from "../../../lib/node/models/model-directory.ts";
import { openWeightsFile } from "../../../lib/node/models/weights-file.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { toFloat32 } from "../../../lib/tensor/dtype.ts";
import { roundFloats } from "../../../lib/tensor/rounding.ts";
import { InputError } from "../../../lib/errors/input-error.ts";
import { encodeSafetensors } from "../../../lib/tensor/safetensors.ts";
import { tensorInfo, type TensorStore } from "../../../lib/tensor/store.ts";
import { convert, type ConvertReport } from "../../../tools/convert/convert.ts";
import { clipscopeProcess } from "../../support/cli.ts";
import { fixture } from "../../support/paths.ts";
import { assertSameTensors } from "../../support/same-tensors.ts";
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
      await assertSameTensors(`${destination}/${weights}`, index);
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
    await assertSameTensors(folder.file("model", weights), index);
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

  it("a full disk is an error of one line, and nothing is left behind", async () => {
    const { status, stderr } = await clipscopeProcess(["convert", demoModel, folder.file("model")], {
      fileLimit: 2000,
    });
    assert.equal(status, 2);
    assert.match(stderr, /^clipscope: .*model: the file exceeds the size limit \(ulimit -f, .*\n$/);
    assert.deepEqual(await readdir(folder.path), []);
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

  it("refuses tensors that match no known architecture", async () => {
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
    assert.deepEqual(seen.at(-1), [report.bytes, report.bytes]);
    assert.ok(seen.every(([done], i) => i === 0 || done > seen[i - 1]![0]));
  });
});
