import { strict as assert } from "node:assert";
import { cp, readdir, readFile, readlink, writeFile } from "node:fs/promises";
import { declaredTensors } from "../../../lib/clip/network.ts";
import { architectureByName, parseClipConfig } from "../../../lib/clip/config/open-clip.ts";
import { fittingResidency, loadModel, threadsFor } from "../../../lib/node/models/load-model.ts";
import { demoModel, readModelDirectory } from "../../../lib/node/models/model-directory.ts";
import { InputError } from "../../../lib/errors/input-error.ts";
import { SyntheticStore } from "../../../lib/tensor/synthetic.ts";
import type { Precision } from "../../../lib/tensor/precision.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("fittingResidency", () => {
  async function choice(
    arch: string,
    backend: string,
    available = 64e9,
    precision: Precision = "f32",
  ): Promise<string> {
    const config = await parseClipConfig(architectureByName(arch), arch, () => Promise.resolve(null));
    return fittingResidency(new SyntheticStore(declaredTensors(config)), backend, precision, available);
  }

  it("streams only what exceeds WASM's heap", async () => {
    assert.equal(await choice("xlm-roberta-large-ViT-H-14", "wasm"), "streamed");
    assert.equal(await choice("xlm-roberta-large-ViT-H-14", "tensorflow"), "resident");
    assert.equal(await choice("ViT-B-32", "wasm"), "resident");
  });

  it("streams what exceeds the free memory", async () => {
    assert.equal(await choice("xlm-roberta-large-ViT-H-14", "tensorflow", 3e9), "streamed");
    assert.equal(await choice("ViT-B-32", "cpu", 3e9), "resident");
    assert.equal(await choice("ViT-B-32", "wasm", 0.3e9), "streamed");
  });

  it("does not count word embeddings, because only their rows in use are loaded", async () => {
    // 278 million parameters of text, including 192 million of word embeddings, and 88 million of the image tower.
    assert.equal(await choice("xlm-roberta-base-ViT-B-32", "wasm"), "resident");
  });
});

describe("loadModel", () => {
  const folder = temporaryFolder();

  it("closes the file if its weights do not match the config", async () => {
    if (process.platform !== "linux") return; // only Linux lists the open files of a process
    await cp(demoModel, folder.path, { recursive: true });
    const path = folder.file("open_clip_config.json");
    const config = JSON.parse(await readFile(path, "utf8")) as { model_cfg: { embed_dim: number } };
    config.model_cfg.embed_dim += 1;
    await writeFile(path, JSON.stringify(config));
    await assert.rejects(loadModel(folder.path), InputError);
    const descriptors = await readdir("/proc/self/fd");
    const open = await Promise.all(descriptors.map((fd) => readlink(`/proc/self/fd/${fd}`).catch(() => "")));
    assert.deepEqual(
      open.filter((file) => file.startsWith(folder.path)),
      [],
    );
  });
});

describe("wrong arguments of loadModel", () => {
  const expected = "loadModel: expected the path of a model directory or hf:REPOSITORY, found";
  const refused: [args: unknown[], message: string][] = [
    [[42], `${expected} the number 42`],
    [[null], `${expected} null`],
    [[""], `${expected} the text ""`],
    [[{ residency: "resident" }], `${expected} an object`],
    [[new URL("file:///model")], `${expected} an URL; convert it with fileURLToPath`],
    [
      [undefined, { weights: "streamed" }],
      'loadModel: unknown option "weights"; the options are arch, backend, residency, precision, onNote',
    ],
    [
      [undefined, { residency: "stream" }],
      'loadModel: residency: expected one of auto, resident, streamed, found the text "stream"',
    ],
    [
      [undefined, { backend: "gpu" }],
      'unknown backend "gpu"; choose one of auto, tensorflow, webgpu, wasm, cpu',
    ],
    [[undefined, { arch: 5 }], "loadModel: arch: expected the name of an architecture, found the number 5"],
    [[undefined, "wasm"], 'loadModel: expected an object of options, found the text "wasm"'],
  ];
  for (const [args, message] of refused) {
    it(message, async () => {
      const call = loadModel as (...given: unknown[]) => Promise<unknown>;
      await assert.rejects(call(...args), { name: "InputError", message });
    });
  }
});

describe("a loaded model", () => {
  it("can be disposed twice", async () => {
    const model = await loadModel();
    (await model.encodeText(["a red circle"])).dispose();
    await model.dispose();
    await model.dispose();
  });
});

describe("threadsFor", () => {
  it("uses one thread of wasm for a small model, and one per core for the published ones", async () => {
    const demo = await readModelDirectory(demoModel);
    assert.deepEqual(threadsFor(demo.config), { wasmThreads: 1 });
    const name = "ViT-B-32";
    const config = await parseClipConfig(architectureByName(name), name, () => Promise.resolve(null));
    assert.deepEqual(threadsFor(config), {});
  });
});
