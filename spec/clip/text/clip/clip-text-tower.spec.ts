import { strict as assert } from "node:assert";
import { loadModel } from "../../../../lib/node/models/load-model.ts";
import { fixture } from "../../../support/paths.ts";

describe("a batch of CLIP's own text tower", () => {
  it("ends each row at the first of its largest ids, and is as long as the longest row", async () => {
    const model = await loadModel(fixture("tiny/plain"));
    const { tokens, readOutPositions } = model.text.batch([
      [8, 3, 9, 4, 9, 0], // the first 9, as torch.argmax
      [8, 9, 0, 0, 0, 0],
    ]);
    assert.deepEqual(readOutPositions, [2, 1]);
    assert.deepEqual(tokens.shape, [2, 3]);
    assert.deepEqual([...tokens.ids], [8, 3, 9, 8, 9, 0]);
    assert.throws(
      () => model.text.batch([[9], []]),
      /row 1 of the token ids has no token, expected at least one/,
    );
    await model.dispose();
  });
});
