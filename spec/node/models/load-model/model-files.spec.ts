/** Files of a model directory that are missing, damaged, or do not fit each other. */
import { strict as assert } from "node:assert";
import { cp, readFile, rename, rm, writeFile } from "node:fs/promises";
import { basename } from "node:path";
import { memory } from "@tensorflow/tfjs-core";
import { InputError } from "../../../../lib/errors/input-error.ts";
import { loadModel } from "../../../../lib/node/models/load-model.ts";
import { editSafetensors, type StoredTensor } from "../../../support/edit-safetensors.ts";
import { fixture } from "../../../support/paths.ts";
import { temporaryFolder } from "../../../support/temporary.ts";

describe("loadModel", () => {
  const folder = temporaryFolder();
  const weights = (): string => folder.file("open_clip_model.safetensors");
  const config = (): string => folder.file("open_clip_config.json");
  beforeEach(() => cp(fixture("tiny/gelu-mlp"), folder.path, { recursive: true }));

  /** Rewrites the weights file with some tensors changed. */
  async function rewrite(change: (tensors: Map<string, StoredTensor>) => void): Promise<void> {
    await writeFile(weights(), await editSafetensors(weights(), change));
  }

  async function refused(message: RegExp, options = {}): Promise<readonly string[]> {
    const before = memory().numTensors;
    let details: readonly string[] = [];
    await assert.rejects(loadModel(folder.path, options), (error: unknown) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      details = error.details;
      return true;
    });
    assert.equal(memory().numTensors, before);
    return details;
  }

  it("ignores the position ids and masks in old files", async () => {
    await rewrite((tensors) => {
      for (const name of ["text.transformer.embeddings.position_ids", "attn_mask", "text.attn_mask"]) {
        tensors.set(name, { dtype: "I64", shape: [1, 2], bytes: new Uint8Array(16) });
      }
    });
    await (await loadModel(folder.path)).dispose();
  });

  it("lists all tensors that are missing, unexpected, or have a wrong shape", async () => {
    await rewrite((tensors) => {
      tensors.delete("logit_scale");
      const proj = tensors.get("visual.proj")!;
      tensors.set("visual.proj", { ...proj, shape: proj.shape.toReversed() });
      tensors.set("visual.extra", { dtype: "F32", shape: [], bytes: new Uint8Array(4) });
    });
    const details = await refused(/open_clip_model.safetensors: 3 tensors do not fit the architecture/);
    assert.deepEqual(details, [
      "wrong shape visual.proj: expected [40, 24], found [24, 40]",
      "missing     logit_scale []",
      "unexpected  visual.extra []",
    ]);
  });

  it("refuses weights of another architecture", async () => {
    const details = await refused(/do not fit the architecture/, { arch: "xlm-roberta-base-ViT-B-32" });
    assert.ok(details.length > 100);
  });

  it("refuses weights that are integers", async () => {
    await rewrite((tensors) => {
      tensors.set("logit_scale", { dtype: "I32", shape: [], bytes: new Uint8Array(4) });
    });
    const details = await refused(/1 tensor does not fit the architecture/);
    assert.deepEqual(details, ["wrong dtype logit_scale: expected F32, F16, BF16, F64, found I32"]);
  });

  it("refuses a truncated, a missing and an empty weights file", async () => {
    const bytes = await readFile(weights());
    await writeFile(weights(), bytes.subarray(0, bytes.length - 5));
    await refused(/cut short/);
    await writeFile(weights(), "");
    await refused(/expected at least 8 bytes, found 0/);
    await rm(weights());
    await refused(/no weights: expected one of open_clip_model.safetensors, /);
  });

  it("refuses an index that names a missing shard", async () => {
    await cp(fixture("tiny/no-projection"), folder.path, { recursive: true, force: true });
    await rm(weights());
    const path = folder.file("open_clip_model.safetensors.index.json");
    const index = JSON.parse(await readFile(path, "utf8")) as { weight_map: Record<string, string> };
    index.weight_map["logit_scale"] = "third.safetensors";
    await writeFile(path, JSON.stringify(index));
    await refused(/third.safetensors: no such file/);
  });

  it("opens model.safetensors too, resident or streamed on request", async () => {
    await rename(weights(), folder.file("model.safetensors"));
    for (const [asked, residency] of [
      [undefined, "resident"],
      ["resident", "resident"],
      ["streamed", "streamed"],
    ] as const) {
      const model = await loadModel(folder.path, asked && { residency: asked });
      assert.equal(model.weights.residency, residency);
      await model.dispose();
    }
  });

  it("refuses a folder without a config, a file, and a missing folder", async () => {
    await rm(config());
    await refused(/no open_clip_config.json; add the file or name the architecture/);
    await assert.rejects(loadModel(weights()), /expected a model directory, found a file/);
    await assert.rejects(loadModel(folder.file("nothing")), /nothing: no such file or folder/);
  });

  it("refuses a config that is not JSON, and names the file", async () => {
    await writeFile(config(), "{");
    await refused(/open_clip_config.json: not valid JSON/);
  });

  it("refuses a text network outside the model directory", async () => {
    const json = JSON.parse(await readFile(config(), "utf8")) as { model_cfg: { text_cfg: object } };
    Object.assign(json.model_cfg.text_cfg, { hf_model_name: `../${basename(folder.path)}/text` });
    await writeFile(config(), JSON.stringify(json));
    await refused(/hf_model_name to be a folder of the model directory/);
  });

  it("reports a missing tokenizer at the first text", async () => {
    const model = await loadModel(folder.path);
    await assert.rejects(
      model.encodeText(["a cat"]),
      /no tokenizer: expected tokenizer.json, sentencepiece.bpe.model, vocab.txt, spiece.model in /,
    );
    await model.dispose();
  });
});
