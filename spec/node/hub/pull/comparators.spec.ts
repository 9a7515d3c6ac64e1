/** Pulling models of other projects from a hub. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { comparators } from "../../../../lib/node/hub/comparators.ts";
import { loadModel } from "../../../../lib/node/models/load-model.ts";
import { chineseVocabulary } from "../../../support/origins.ts";
import { assertRefused, fromFixture, hubRoom, pull } from "../../../support/pull.ts";

const chinese = "OFA-Sys/chinese-clip-vit-huge-patch14";
const japanese = "rinna/japanese-clip-vit-b-16";
const italian = "clip-italian/clip-italian";
const readme = { "README.md": new Uint8Array(9) };

describe("pull: models of other projects", () => {
  const room = hubRoom();

  it("knows seven repositories, one of them under the GPL", () => {
    assert.equal(comparators.length, 7);
    assert.deepEqual(
      comparators.filter(({ license }) => license !== undefined).map(({ repository }) => repository),
      [italian],
    );
  });

  it("Chinese-CLIP: weights, config and vocab.txt, and nothing else", async () => {
    room.hub.add(chinese, {
      ...fromFixture("origins/chinese-clip", ["config.json", "pytorch_model.bin"]),
      ...readme,
      "clip_cn_vit-h-14.pt": new Uint8Array(100),
      "preprocessor_config.json": Buffer.from(JSON.stringify({ size: 28, resample: 3 })),
      "vocab.txt": Buffer.from(chineseVocabulary()),
    });
    const { files, layout, architecture, license } = await pull(chinese);
    assert.deepEqual([layout, architecture, license], ["Chinese-CLIP", null, null]);
    assert.deepEqual(
      files.map(({ path }) => path),
      ["config.json", "preprocessor_config.json", "pytorch_model.bin", "vocab.txt"],
    );
    const model = await loadModel(`hf:${chinese}`);
    const features = await model.encodeText(["一只猫"]);
    assert.deepEqual(features.shape, [1, 20]);
    features.dispose();
    await model.dispose();
  });

  it("rinna's CLIP: its tokenizer is in a second repository", async () => {
    room.hub.add(japanese, {
      ...fromFixture("origins/rinna-clip", ["config.json", "model.safetensors"]),
      ...readme,
    });
    await assertRefused(pull(japanese), /rinna\/japanese-roberta-base/);
    room.hub.add("rinna/japanese-roberta-base", {
      ...fromFixture("rinna", ["spiece.model"]),
      "pytorch_model.bin": new Uint8Array(100),
    });
    const { files } = await pull(japanese);
    assert.deepEqual(
      files.map(({ repository, path }) => `${repository}: ${path}`),
      [
        `${japanese}: config.json`,
        `${japanese}: model.safetensors`,
        "rinna/japanese-roberta-base: spiece.model",
      ],
    );
    const model = await loadModel(`hf:${japanese}`);
    const tokenizer = await model.tokenizer();
    assert.equal(tokenizer.tokenize("猫").pieces.at(-1), "▁猫");
    await model.dispose();
  });

  it("clip-italian: says that its weights are under the GPL", async () => {
    room.hub.add(italian, {
      ...fromFixture("origins/clip-italian", ["config.json", "model.safetensors"]),
      ...fromFixture("wordpiece", ["tokenizer.json"]),
      "flax_model.msgpack": new Uint8Array(100),
    });
    const { license, files } = await pull(italian);
    assert.equal(license, "GPL-3.0");
    const config = files.find(({ path }) => path === "config.json")!;
    assert.match(await readFile(config.location, "utf8"), /vision-text-dual-encoder/);
  });

  it("refuses repositories of other kinds before it downloads weights", async () => {
    room.hub.add("a/bert", {
      "config.json": Buffer.from('{"model_type":"bert"}'),
      "model.safetensors": new Uint8Array(9),
    });
    await assertRefused(
      pull("a/bert"),
      /a\/bert: has no open_clip_config\.json, no config\.json of a supported model/,
    );
    assert.ok(!room.hub.requests.some(({ path }) => path.includes("model.safetensors")));
  });
});
