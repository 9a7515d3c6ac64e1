/**
 * The floating-point operations of an architecture's matrix products: two for each multiply-add.
 *
 * The count covers the patch convolution, Linear layers, the projections, and the two products of attention (queries
 * with keys, probabilities with values) over all tokens. Embedding look-ups, norms, softmax, activations and sums are
 * left out, as in the published figures of CLIP models.
 */
import type { Tower } from "../nn/tower.ts";
import { elementCount } from "../tensor/dtype.ts";
import { WeightScope } from "../tensor/model-weights.ts";
import type { RowTable } from "../tensor/row-table.ts";
import { Weight, type Loadable } from "../tensor/weight.ts";
import type { ClipConfig } from "./config/clip-config.ts";
import { networkOutline } from "./network.ts";

/** The sizes that operations are counted for. */
export interface FlopOptions {
  /** In pixels. Default: the config's. */
  readonly imageSize?: readonly [height: number, width: number];
  /** Tokens of the text. Default: the config's context length. */
  readonly textLength?: number;
}

/** Operations of one image and of one text. */
export interface Flops {
  /** Of one image. */
  readonly image: number;
  /** Of one text. */
  readonly text: number;
  /** By module path: of the module's own tensors and products, without its children's. */
  readonly modules: ReadonlyMap<string, number>;
}

/** Floating-point operations of one image and one text. */
export function countFlops(config: ClipConfig, options: FlopOptions = {}): Flops {
  const { imageSize, patchSize } = config.vision;
  const [height, width] = options.imageSize ?? imageSize;
  const patches = Math.floor(height / patchSize[0]) * Math.floor(width / patchSize[1]);
  const { visual, text } = networkOutline(config);
  const convolution = 2 * patches * elementCount(visual.conv1.weight.shape);
  const image = new Map([[visual.conv1.scope.path, convolution], ...towerFlops(visual, patches + 1)]);
  const ofText = towerFlops(text, options.textLength ?? config.text.contextLength);
  return { image: total(image), text: total(ofText), modules: new Map([...image, ...ofText]) };
}

/** Operations of a tower's blocks (for all tokens) and of its read-out (once), by module path. */
function towerFlops<Input>(tower: Tower<Input>, tokens: number): Map<string, number> {
  const modules = new Map<string, number>();
  const add = (path: string, flops: number): void => {
    modules.set(path, (modules.get(path) ?? 0) + flops);
  };
  for (const block of tower.blocks) {
    addMatrices([block.scope], tokens);
    add(block.attentionScope.path, 2 * 2 * tokens * tokens * block.width);
  }
  addMatrices(tower.readOutWeights, 1);
  return modules;

  function addMatrices(parts: readonly Loadable[], times: number): void {
    const weights = parts.flatMap((part): readonly (Loadable | Weight | RowTable)[] =>
      part instanceof WeightScope ? part.weights : [part],
    );
    for (const weight of weights) {
      if (!(weight instanceof Weight) || weight.shape.length < 2) continue;
      add(
        weight.name.slice(0, Math.max(0, weight.name.lastIndexOf("."))),
        2 * times * elementCount(weight.shape),
      );
    }
  }
}

function total(modules: ReadonlyMap<string, number>): number {
  return [...modules.values()].reduce((sum, flops) => sum + flops, 0);
}
