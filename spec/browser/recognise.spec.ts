import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { findModelFiles } from "../../lib/browser/model-files.ts";
import { recognise } from "../../lib/browser/recognise.ts";
import { encodeFeatures } from "../../lib/features/features-file.ts";
import { encodeSafetensors } from "../../lib/tensor/safetensors.ts";
import { fixture } from "../support/paths.ts";

function blobOf(path: string): Blob {
  return new Blob([readFileSync(fixture(path))]);
}

function tensors(names: readonly string[], metadata: Record<string, string> = {}): Blob {
  const bytes = encodeSafetensors(
    names.map((name) => ({ name, dtype: "F32" as const, shape: [1], bytes: new Uint8Array(4) })),
    metadata,
  );
  return new Blob([bytes as Uint8Array<ArrayBuffer>]);
}

describe("recognise", () => {
  it("tells files by their content, whatever their names", async () => {
    const features = encodeFeatures({
      values: new Float32Array(2),
      rows: 1,
      width: 2,
      labels: null,
      classNames: null,
      paths: null,
      metadata: {},
    });
    const files: readonly (readonly [string, Blob, string])[] = [
      ["a.PNG", new Blob(["not an image, which its decoder says"]), "image"],
      ["pasted", new Blob([], { type: "image/png" }), "image"],
      ["a", blobOf("tiny/plain/golden.safetensors"), "golden"],
      ["a.bin", blobOf("demo-model/goldens/both-towers.safetensors"), "golden"],
      ["a.safetensors", tensors(["visual.conv1"], { clipscope: "0.1.0" }), "trace"],
      ["a.safetensors", new Blob(features as Uint8Array<ArrayBuffer>[]), "features"],
      ["a.safetensors", tensors(["weight", "bias"]), "probe"],
      ["a.json", new Blob(['{"passed": true, "worst": {}, "taps": []}']), "report"],
    ];
    for (const [name, blob, kind] of files) assert.equal((await recognise(name, blob)).kind, kind, name);
  });

  it("says what was expected of other files", async () => {
    const refused: readonly (readonly [string, Blob, RegExp])[] = [
      [
        "notes.txt",
        new Blob(["hello"]),
        /notes\.txt: expected an image, a trace, golden, features or probe file/,
      ],
      ["empty", new Blob([]), /empty: expected an image/],
      ["x.safetensors", tensors(["a", "b"]), /found tensors of other names: a, b$/],
      ["w.safetensors", tensors(["logit_scale"]), /found weights; drop the model directory/],
      ["cut.safetensors", new Blob(["abc"]), /not a valid safetensors file/],
      ["a.json", new Blob(["{"]), /a\.json: .*JSON/],
      ["b.json", new Blob(["{}"]), /found other JSON/],
      ["c.json", new Blob(["[]"]), /c\.json: expected an object/],
    ];
    for (const [name, blob, reason] of refused) await assert.rejects(recognise(name, blob), reason, name);
  });
});

describe("findModelFiles", () => {
  it("prefers OpenCLIP's weights, and finds a tokenizer in a folder", () => {
    const config = "open_clip_config.json";
    const weights = "open_clip_model.safetensors";
    assert.deepEqual(findModelFiles("m", [config, "model.safetensors", weights, "text/tokenizer.json"]), {
      config,
      weights,
      tokenizer: "text/tokenizer.json",
    });
    assert.equal(findModelFiles("m", [`${weights}.index.json`]).weights, `${weights}.index.json`);
    assert.equal(findModelFiles("m", [weights]).tokenizer, null);
  });

  it("refuses a directory without weights that a page can read", () => {
    assert.throws(() => findModelFiles("m", []), /^InputError: m: expected weights \(.*\), found none$/);
    assert.throws(
      () => findModelFiles("m", ["open_clip_pytorch_model.bin"]),
      /m: expected safetensors, found open_clip_pytorch_model\.bin; run "clipscope convert" first/,
    );
  });
});
