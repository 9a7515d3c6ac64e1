import { tensor3d, type Tensor3D } from "@tensorflow/tfjs-core";
import { XlmRoberta } from "../../../../lib/clip/text/xlm-roberta/xlm-roberta.ts";
import { exampleRoberta } from "../../../support/example-config.ts";
import { exampleEmbeddings, exampleRobertaLayer, under } from "../../../support/example-weights.ts";
import { assertValues, withLayer } from "../../../support/layers.ts";

describe("XlmRoberta", () => {
  it("holds the embeddings, and the layers of its config in order, each with its own weights", () =>
    withLayer(
      {
        ...under("embeddings", exampleEmbeddings),
        ...under("encoder.layer.0", { ...exampleRobertaLayer, "output.LayerNorm.weight": [3, 3] }),
        ...under("encoder.layer.1", { ...exampleRobertaLayer, "output.LayerNorm.bias": [10, 20] }),
      },
      (scope) => new XlmRoberta(scope, { ...exampleRoberta, layers: 2 }),
      ({ encoder }) => {
        const streams: Tensor3D[] = [tensor3d([[[1, 3]]])];
        for (const layer of encoder.layer) streams.push(layer.apply(streams.at(-1)!));
        // Both norms of a layer give [−1, 1] with ε = 0; γ = 3 in layer 0, β in layer 1.
        assertValues(streams[1]!, [[[-3, 3]]]);
        assertValues(streams[2]!, [[[-1 + 10, 1 + 20]]]);
      },
    ));
});
