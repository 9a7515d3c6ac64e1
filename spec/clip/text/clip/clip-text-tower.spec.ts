import { strict as assert } from "node:assert";
import { PlainTextTower } from "../../../../lib/clip/text/clip/clip-text-tower.ts";
import { loadModel } from "../../../../lib/node/models/load-model.ts";
import { fixture } from "../../../support/paths.ts";

describe("a batch of the plain text tower", () => {
  it("ends each row at the first of its largest ids, and is no longer than that asks for", async () => {
    const { text, dispose } = await loadPlain();
    const { tokens, ends } = text.batch([
      [8, 3, 9, 4, 9, 0], // as argmax: the first 9
      [8, 9, 0, 0, 0, 0],
    ]);
    assert.deepEqual(ends, [2, 1]);
    assert.deepEqual(tokens.shape, [2, 3]);
    assert.deepEqual([...tokens.ids], [8, 3, 9, 8, 9, 0]);
    assert.throws(() => text.batch([[9], []]), /row 1 of the token ids is empty/);
    await dispose();
  });
});

async function loadPlain(): Promise<{ text: PlainTextTower; dispose: () => Promise<void> }> {
  const model = await loadModel(fixture("tiny/plain"));
  assert.ok(model.text instanceof PlainTextTower);
  return { text: model.text, dispose: () => model.dispose() };
}
