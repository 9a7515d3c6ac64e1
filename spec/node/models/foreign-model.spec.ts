/** Directories of other projects' models, from their small files to features. */
import assert from "node:assert/strict";
import { cp, readFile, rm, writeFile } from "node:fs/promises";
import { InputError } from "../../../lib/errors/input-error.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { readModelDirectory } from "../../../lib/node/models/model-directory.ts";
import { readTokenizer } from "../../../lib/node/models/read-tokenizer.ts";
import { chineseModel, chineseVocabulary, copyOrigin } from "../../support/origins.ts";
import { fixture } from "../../support/paths.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("models of other projects", () => {
  const folder = temporaryFolder();
  const place = (): string => folder.file("model");

  async function refused(message: RegExp, details: RegExp = /^/): Promise<void> {
    await assert.rejects(loadModel(place()), (error: unknown) => {
      assert.ok(error instanceof InputError, String(error));
      assert.match(error.message, message);
      assert.match(error.details.join("\n"), details);
      return true;
    });
  }

  it("reads Chinese-CLIP's texts as cn_clip does, without open_clip's cleaning", async () => {
    const directory = await readModelDirectory(await chineseModel(place()));
    const tokenizer = await readTokenizer(directory);
    const { cleaned, pieces } = tokenizer.tokenize("一只猫，“ab[SEP]”");
    assert.equal(cleaned, "一只猫，“ab[SEP]”");
    const special = ["[UNK]", "[UNK]", "[UNK]"]; // "[", "sep" and "]": no special token
    assert.deepEqual(pieces, ["[CLS]", ...Array.from("一只猫，“"), "a", "##b", ...special, "”", "[SEP]"]);
    assert.equal(tokenizer.contextLength, 20); // of 52, as many as there are positions
    const model = await loadModel(place());
    const features = await model.encodeText(["一只猫", "狗"]);
    assert.deepEqual(features.shape, [2, 20]);
    features.dispose();
    await model.dispose();
  });

  it("squashes Chinese-CLIP's images, and takes rinna's by the shortest edge, bilinear", async () => {
    const chinese = await readModelDirectory(fixture("origins/chinese-clip"));
    assert.deepEqual(
      [chinese.preprocess.resizeMode, chinese.preprocess.interpolation],
      ["squash", "bicubic"],
    );
    const japanese = await readModelDirectory(fixture("origins/rinna-clip"));
    assert.deepEqual(
      [japanese.preprocess.resizeMode, japanese.preprocess.interpolation],
      ["shortest", "bilinear"],
    );
    const italian = await readModelDirectory(fixture("origins/clip-italian"));
    assert.deepEqual(
      [italian.preprocess.resizeMode, italian.preprocess.interpolation],
      ["shortest", "bicubic"],
    );
  });

  it("reads rinna's spiece.model and no other tokenizer", async () => {
    await copyOrigin("rinna-clip", place());
    await cp(fixture("tokenizer/tokenizer.json"), `${place()}/tokenizer.json`);
    const directory = await readModelDirectory(place());
    await assert.rejects(
      readTokenizer(directory),
      /no tokenizer: expected spiece\.model in .*japanese-roberta-base/,
    );
    await cp(fixture("rinna/spiece.model"), `${place()}/spiece.model`);
    const { pieces } = (await readTokenizer(directory)).tokenize("猫");
    assert.deepEqual([pieces[0], pieces.at(-1)], ["[CLS]", "▁猫"]);
  });

  it("refuses a vocab.txt that is cut off", async () => {
    await chineseModel(place());
    await writeFile(`${place()}/vocab.txt`, chineseVocabulary(119));
    const directory = await readModelDirectory(place());
    await assert.rejects(readTokenizer(directory), /vocab\.txt: expected 120 lines, .* found 119/);
  });

  it("refuses a config that does not fit the weights, and names the tensors", async () => {
    await chineseModel(place());
    const file = `${place()}/config.json`;
    const config = JSON.parse(await readFile(file, "utf8")) as Record<string, Record<string, unknown>>;
    await writeFile(
      file,
      JSON.stringify({ ...config, text_config: { ...config["text_config"], num_hidden_layers: 3 } }),
    );
    await refused(
      /pytorch_model\.bin: its tensors do not fit its config: 16 missing/,
      /missing {5}text_model\.encoder\.layer\.2/,
    );
    await writeFile(
      file,
      JSON.stringify({ ...config, vision_config: { ...config["vision_config"], num_hidden_layers: 1 } }),
    );
    await refused(/16 without a counterpart/, /unexpected {2}vision_model\.encoder\.layers\.1/);
    await writeFile(file, JSON.stringify({ ...config, projection_dim: 21 }));
    await refused(/do not fit the architecture/, /visual\.proj/);
  });

  it("refuses a backbone that OpenCLIP does not have", async () => {
    await copyOrigin("clip-italian", place());
    const file = `${place()}/config.json`;
    const config = JSON.parse(await readFile(file, "utf8")) as Record<string, Record<string, unknown>>;
    await writeFile(file, JSON.stringify({ ...config, vision_config: { model_type: "swin" } }));
    await refused(/config\.json: expected vision_config\.model_type to be "clip_vision_model", found "swin"/);
    await writeFile(file, "{");
    await refused(/config\.json: not valid JSON/);
  });

  it("needs weights, or a config next to them that says what they are", async () => {
    await chineseModel(place());
    await rm(`${place()}/pytorch_model.bin`);
    await refused(
      /no weights: expected one of model\.safetensors, model\.safetensors\.index\.json, pytorch_model\.bin, or a \.pt/,
    );
    await writeFile(`${place()}/config.json`, JSON.stringify({ model_type: "bert" }));
    await refused(/no open_clip_config\.json; add the file or name the architecture/);
  });
});
