import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { Clip } from "../../../lib/clip/clip.ts";
import { TextEmbeddings } from "../../../lib/eval/embeddings/text-embeddings.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { demoModel } from "../../../lib/node/models/model-directory.ts";
import { openWeights } from "../../../lib/node/models/weights-file.ts";
import type { Tokenizer } from "../../../lib/text/tokenizer.ts";
import { evaluationHost } from "../../../lib/node/eval/host.ts";
import { assertNear } from "../../support/near.ts";
import { temporaryFolder } from "../../support/temporary.ts";

/** A model with the weights of another, whose tokenizer changes the ids. */
async function withTokenizer(model: Clip, change: (ids: number[]) => number[]): Promise<Clip> {
  const tokenizer = await model.tokenizer();
  const changed: Tokenizer = {
    contextLength: tokenizer.contextLength,
    vocabSize: tokenizer.vocabSize,
    padId: tokenizer.padId,
    encode: (text) => change(tokenizer.encode(text)),
    tokenize: (text) => tokenizer.tokenize(text),
  };
  const { config, preprocess } = model;
  const store = await openWeights(demoModel);
  return new Clip({ config, store, preprocess, loadTokenizer: () => Promise.resolve(changed) });
}

describe("TextEmbeddings", () => {
  const folder = temporaryFolder();
  let model: Clip;

  before(async () => {
    model = await loadModel();
  });
  after(() => model.dispose());

  const texts = ["a red circle", "", "a red circle", "ein blaues Herz, ganz klein", "\u2028"];

  async function expected(given: readonly string[]): Promise<Float32Array> {
    const features = await model.encodeText([...given]);
    try {
      return await features.data<"float32">();
    } finally {
      features.dispose();
    }
  }

  for (const isKept of [false, true]) {
    it(`embeds each different text once, blank ones too (${isKept ? "in files" : "in memory"})`, async () => {
      const embeddings = await TextEmbeddings.open(evaluationHost, model, isKept ? folder.path : undefined);
      assert.deepEqual(await embeddings.prepare(texts), { texts: 4, embedded: 4 });
      const { values, rows, width } = await embeddings.rows(texts);
      assert.deepEqual([rows, width], [texts.length, model.config.embedDim]);
      assertNear([...values], [...(await expected(texts))], 1e-5);
      assert.deepEqual(await embeddings.prepare([...texts, "more"]), { texts: 5, embedded: 1 });
    });
  }

  it("finds the texts of earlier runs, whatever list they were in", async () => {
    const first = await TextEmbeddings.open(evaluationHost, model, folder.path);
    await first.prepare(texts);
    const before = await first.rows(texts);
    const second = await TextEmbeddings.open(evaluationHost, model, folder.path);
    assert.deepEqual(await second.prepare(["new", texts[3]!, texts[0]!]), { texts: 3, embedded: 1 });
    assert.deepEqual(await second.prepare(texts), { texts: 4, embedded: 0 });
    assert.deepEqual([...(await second.rows(texts)).values], [...before.values]);
    const [towers] = readdirSync(folder.path);
    assert.equal(readdirSync(folder.file(towers!)).length, 2);
  });

  it("does not use what the same weights embedded with another tokenizer", async () => {
    const first = await TextEmbeddings.open(evaluationHost, model, folder.path);
    await first.prepare(texts);
    const other = await withTokenizer(model, (ids) => (ids.length > 3 ? [ids[0]!, ...ids.slice(2)] : ids));
    try {
      const second = await TextEmbeddings.open(evaluationHost, other, folder.path);
      assert.deepEqual(await second.prepare(texts), { texts: 4, embedded: 4 });
      const again = await TextEmbeddings.open(evaluationHost, other, folder.path);
      assert.deepEqual(await again.prepare(texts), { texts: 4, embedded: 0 });
      assert.notDeepEqual(await again.rows(["a red circle"]), await first.rows(["a red circle"]));
    } finally {
      await other.dispose();
    }
    const third = await TextEmbeddings.open(evaluationHost, model, folder.path);
    assert.deepEqual(await third.prepare(texts), { texts: 4, embedded: 0 });
  });
});
