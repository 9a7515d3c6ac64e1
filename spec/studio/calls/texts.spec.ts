import assert from "node:assert/strict";
import { alignment, pooling, texts } from "../../../lib/studio/calls/texts.ts";
import type { Passes } from "../../../lib/studio/passes.ts";
import { nodeCodecs } from "../../../lib/node/images/codecs.ts";
import { loadModel } from "../../../lib/node/models/load-model.ts";
import { Passes as AllPasses } from "../../../lib/studio/passes.ts";
import { tokenCosines, textStream } from "../../../lib/study/stream.ts";
import { assertNear } from "../../support/near.ts";
import { completeOrigin } from "../../support/origins.ts";
import { demoPasses, recordingContext } from "../../support/passes.ts";
import { temporaryFolder } from "../../support/temporary.ts";

describe("the calls of texts", () => {
  const folder = temporaryFolder();
  const context = recordingContext();
  const captions = ["three brown stars", "drei braune Sterne", "два слова"];
  let passes: Passes;
  before(async () => {
    passes = await demoPasses();
  });
  after(() => passes.model.dispose());

  it("give the tokens of each text, and the cosines that encodeText gives", async () => {
    const read = await texts(passes, { texts: captions }, context);
    assert.deepEqual(
      read.texts[0]!.tokens.map(({ piece }) => piece),
      ["<s>", "▁three", "▁brown", "▁stars", "</s>"],
    );
    assert.ok(read.texts[2]!.tokens.some(({ piece }) => piece === "<unk>"));
    const features = await passes.model.encodeText(captions, { normalize: true });
    const rows = await features.array();
    features.dispose();
    const expected = rows.flatMap((a) => rows.map((b) => a.reduce((sum, x, i) => sum + x * b[i]!, 0)));
    assertNear([...read.cosines], expected, 1e-5);
  });

  it("align a text with itself as its tokens are alike", async () => {
    const { texts: read } = await texts(passes, { texts: captions }, context);
    const [{ trace, tokens }] = read as [(typeof read)[number]];
    const stream = await textStream(
      passes.model,
      tokens.map(({ id }) => id),
    );
    assert.deepEqual(
      await alignment(passes, { a: trace, b: trace, state: 1 }, context),
      tokenCosines(stream, 1),
    );
    const other = await alignment(passes, { a: trace, b: read[2]!.trace, state: 2 }, context);
    assert.equal(other.length, tokens.length * read[2]!.tokens.length);
  });

  it("give the share of each token in the mean, which add up to 1", async () => {
    const { trace } = (await passes.text(captions[1]!, {})).result;
    const { kind, shares, cosines } = (await pooling(passes, { trace }, context))!;
    assert.equal(kind, "mean");
    assertNear([shares!.reduce((sum, share) => sum + share, 0)], [1], 1e-5);
    assert.deepEqual([cosines.length, cosines[0]!.length], [3, shares!.length]);
  });

  for (const [name, kind] of [
    ["chinese-clip", "token"],
    ["clip-italian", "other"],
    ["clip-model", null],
  ] as const) {
    it(`know the pooling of ${name}`, async () => {
      const model = await loadModel(await completeOrigin(name, folder.file(name)));
      const own = new AllPasses(model, nodeCodecs());
      const { trace } = (await own.text("一只猫", {})).result;
      const found = await pooling(own, { trace }, context);
      assert.equal(found?.kind ?? null, kind);
      if (kind === "token") assert.equal(found!.shares![0], 1);
      await model.dispose();
    });
  }
});
