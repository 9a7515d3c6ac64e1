import { tensor2d, tidy } from "@tensorflow/tfjs-core";
import { l2Normalize } from "../../lib/clip/normalize.ts";
import { assertValues } from "../support/layers.ts";

describe("l2Normalize", () => {
  it("divides each row by its length", () => {
    tidy(() => {
      // √(3² + 4²) = 5, √(1² + 2² + 2²) = 3
      assertValues(l2Normalize(tensor2d([[3, 4, 0], [-1, 2, 2]])), [[0.6, 0.8, 0], [-1 / 3, 2 / 3, 2 / 3]]); // prettier-ignore
    });
  });

  it("leaves a row of zeros, as torch.nn.functional.normalize does", () => {
    tidy(() => {
      assertValues(l2Normalize(tensor2d([[0, 0], [3, 4]])), [[0, 0], [0.6, 0.8]]); // prettier-ignore
    });
  });
});
