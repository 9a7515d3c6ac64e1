import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import type { Clip } from "../../../lib/clip/clip.ts";
import { TextEmbeddings } from "../../../lib/eval/embeddings/text-embeddings.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { evaluationHost } from "../../../lib/node/eval/host.ts";
import { assertNear } from "../../support/near.ts";
import { temporaryFolder } from "../../support/temporary.ts";

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
});
