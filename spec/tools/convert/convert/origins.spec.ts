/** Conversion of other projects' models; tools/golden/check_strict.py proves that open_clip loads the results. */
import assert from "node:assert/strict";
import { cp, mkdir, readdir, readFile } from "node:fs/promises";
import { loadModel } from "../../../../lib/node/models/load-model.ts";
import { readModelDirectory } from "../../../../lib/node/models/model-directory.ts";
import { readTokenizer } from "../../../../lib/node/models/read-tokenizer.ts";
import { verify } from "../../../../lib/parity/verify.ts";
import { convert } from "../../../../tools/convert/convert.ts";
import { openGolden, tolerance } from "../../../support/golden.ts";
import { chineseModel } from "../../../support/origins.ts";
import { fixture } from "../../../support/paths.ts";
import { temporaryFolder } from "../../../support/temporary.ts";

describe("convert: models of other projects", () => {
  const folder = temporaryFolder();

  for (const name of ["chinese-clip", "cn-clip-flash", "clip-italian", "clip-model", "rinna-cloob"]) {
    it(`writes ${name} as an OpenCLIP directory that agrees with the origin`, async () => {
      const destination = folder.file(name);
      const report = await convert(fixture(`origins/${name}`), destination);
      assert.deepEqual([report.architecture.from, report.leftOut, report.ignored], ["layout", [], []]);
      const { layout } = await readModelDirectory(destination);
      assert.equal(layout, undefined, "it is OpenCLIP's now");
      const model = await loadModel(destination);
      const golden = await openGolden(fixture(`origins/${name}/golden.safetensors`));
      assert.ok((await verify(model, golden, { tolerance })).passed);
      await golden.close();
      await model.dispose();
    });
  }

  it("takes a bare checkpoint of cn_clip, with sizes from its shapes", async () => {
    await mkdir(folder.file("bare"));
    await cp(fixture("origins/cn-clip/epoch_latest.pt"), folder.file("bare", "x.pt"));
    const { layout, tensors, skipped } = await convert(folder.file("bare", "x.pt"), folder.file("model"));
    assert.deepEqual([layout, tensors, skipped], ["Chinese-CLIP", 71, []]);
  });

  it("puts the tokenizer into the folder of the text network, and reads the same ids from there", async () => {
    const source = await chineseModel(folder.file("source"));
    const { files } = await convert(source, folder.file("model"));
    assert.deepEqual(files, ["open_clip_config.json", "text/config.json", "text/vocab.txt"]);
    assert.deepEqual((await readdir(folder.file("model"))).sort(), [
      "open_clip_config.json",
      "open_clip_model.safetensors",
      "text",
    ]);
    const [before, after] = await Promise.all(
      [source, folder.file("model")].map(async (path) => readTokenizer(await readModelDirectory(path))),
    );
    const text = "一只猫，“ab[SEP]”";
    assert.deepEqual(after!.tokenize(text), before!.tokenize(text));
    const config = JSON.parse(
      await readFile(folder.file("model", "open_clip_config.json"), "utf8"),
    ) as unknown;
    assert.deepEqual((config as { clipscope: unknown }).clipscope, { clean: "none", wordpiece: "cn-clip" });
  });

  it("writes clip-italian's logit scale as in its training, unless told to keep the stored one", async () => {
    const source = fixture("origins/clip-italian");
    const scaleOf = async (path: string): Promise<number> => {
      const model = await loadModel(path);
      await model.logitScale.load();
      const [scale] = await model.logitScale.tensor.data();
      await model.dispose();
      return scale!;
    };
    const trained = await convert(source, folder.file("trained"));
    assert.match(trained.notes.join(), /logits are 20 · cosine/);
    assert.equal(await scaleOf(folder.file("trained")), Math.fround(Math.log(20)));
    const kept = await convert(source, folder.file("kept"), { keepLogitScale: true });
    assert.deepEqual(kept.notes, []);
    assert.equal(await scaleOf(folder.file("kept")), 1);
  });
});
