import { tensor3d, tidy } from "@tensorflow/tfjs-core";
import { mergeHeads, splitHeads } from "../../../lib/nn/operations/heads.ts";
import { assertValues } from "../../support/layers.ts";

describe("heads", () => {
  it("are consecutive slices of each vector, and merge to the same vectors", () => {
    tidy(() => {
      const tokens = [[[1, 2, 3, 4], [5, 6, 7, 8]]]; // prettier-ignore
      const heads = splitHeads(tensor3d(tokens), 2);
      assertValues(heads, [[[[1, 2], [5, 6]], [[3, 4], [7, 8]]]]); // prettier-ignore
      assertValues(mergeHeads(heads), tokens);
    });
  });
});
