/** A tower as a list of stages, each of which can be computed again from its input: embed, the blocks, the read-out. */
import { tidy, type Tensor, type Tensor2D, type Tensor3D, type Tensor4D } from "@tensorflow/tfjs-core";
import { tap } from "../tensor/taps.ts";
import type { Loadable } from "../tensor/weight.ts";
import type { StreamStart, Tower } from "./tower.ts";

export interface Stage {
  readonly weights: readonly Loadable[];
  /** Whether it is one of the tower's blocks. */
  readonly isBlock: boolean;
  /** @param x the output of the stage before; the first stage reads the tower's input instead */
  readonly run: (x: Tensor | null) => Tensor;
}

/** Everything that a tower reads for an input. */
export function weightsOf<Input>(tower: Tower<Input>, input: Input, start?: StreamStart): Loadable[] {
  return stagesOf(tower, input, undefined, start).flatMap(({ weights }) => weights);
}

/** Runs a tower whose weights are all loaded, without awaiting anything. @returns [B, embedDim] */
export function runLoaded<Input>(tower: Tower<Input>, input: Input, start?: StreamStart): Tensor2D {
  return tidy(() => {
    let x: Tensor | null = null;
    for (const stage of stagesOf(tower, input, tower.mask(input), start)) x = stage.run(x);
    return x as Tensor2D;
  });
}

/** @param mask `tower.mask(input)` @param start in place of `embed` and the blocks before it */
export function stagesOf<Input>(
  tower: Tower<Input>,
  input: Input,
  mask: Tensor4D | undefined,
  start?: StreamStart,
): Stage[] {
  const first: Stage = start
    ? { weights: [], isBlock: false, run: () => start.stream.clone() }
    : { weights: tower.embedWeights(input), isBlock: false, run: () => tower.embed(input) };
  return [
    first,
    ...tower.blocks.slice(start?.block ?? 0).map((block) => ({
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
