/** A tower as a list of stages, each of which can be computed again from its input: embed, the blocks, the read-out. */
import type { Tensor, Tensor3D, Tensor4D } from "@tensorflow/tfjs-core";
import { tap } from "../tensor/taps.ts";
import type { Loadable } from "../tensor/weight.ts";
import type { Tower } from "./tower.ts";

export interface Stage {
  readonly weights: readonly Loadable[];
  /** Whether it is one of the tower's blocks. */
  readonly isBlock: boolean;
  /** @param x the output of the stage before; the first stage reads the tower's input instead */
  readonly run: (x: Tensor | null) => Tensor;
}

/** @param mask `tower.mask(input)` */
export function stagesOf<Input>(tower: Tower<Input>, input: Input, mask: Tensor4D | undefined): Stage[] {
  return [
    { weights: tower.embedWeights(input), isBlock: false, run: () => tower.embed(input) },
    ...tower.blocks.map((block) => ({
      weights: [block.scope],
      isBlock: true,
      run: (x: Tensor | null): Tensor => block.apply(x as Tensor3D, mask),
    })),
    {
      weights: tower.readOutWeights,
      isBlock: false,
      run: (x): Tensor => {
        let stream = x as Tensor3D; // [B, L, width]
        for (const container of tower.containers) stream = tap(container.path, stream);
        const embedding = tower.readOut(stream, input); // [B, embedDim]
        return tower.scope.path === "" ? embedding : tap(tower.scope.path, embedding);
      },
    },
  ];
}
