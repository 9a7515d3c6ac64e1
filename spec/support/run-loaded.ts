/** Runs a tower in one go. */
import { tidy, type Tensor2D } from "@tensorflow/tfjs-core";
import { stagesOf } from "../../lib/nn/stages.ts";
import type { Tower } from "../../lib/nn/tower.ts";

/** Runs a tower whose weights are all loaded, without awaiting anything. @returns [B, embedDim] */
export function runLoaded<Input>(tower: Tower<Input>, input: Input): Tensor2D {
  return tidy(() => {
    const [embed, ...rest] = stagesOf(tower, input, tower.mask(input));
    return rest.reduce((x, stage) => stage.run(x), embed!.run(null)) as Tensor2D;
  });
}
