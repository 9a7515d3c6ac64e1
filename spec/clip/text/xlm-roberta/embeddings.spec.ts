import { XlmRobertaEmbeddings } from "../../../../lib/clip/text/xlm-roberta/embeddings.ts";
import { paddedBatch } from "../../../support/padded-batch.ts";
import { exampleRoberta } from "../../../support/example-config.ts";
import { exampleEmbedded, exampleEmbeddings } from "../../../support/example-weights.ts";
import { assertValues, withLayer } from "../../../support/layers.ts";

describe("XlmRobertaEmbeddings", () => {
  it("normalises the sum of word, token type and position", () => {
    const batch = paddedBatch([
      [0, 3, 2],
      [0, 2],
    ]);
    return withLayer(
      exampleEmbeddings,
      (scope) => new XlmRobertaEmbeddings(scope, { ...exampleRoberta, layerNormEpsilon: 15 }),
      (layer) => {
        const { start, word, end, padding } = exampleEmbedded;
        // In the second text, </s> is at position 3: [10, 0] + [1, 0] + [0, 15] = [11, 15], deviation 2.
        const earlyEnd = [-2 / Math.sqrt(19), 2 / Math.sqrt(19)];
        assertValues(layer.apply(batch), [
          [start, word, end],
          [start, earlyEnd, padding],
        ]);
      },
      (layer) => layer.weightsOf(batch),
    );
  });
});
