/** Which matrices get a low-rank adapter (lib/nn/lora.ts), and its first values. */
import type { Rank } from "@tensorflow/tfjs-core";
import { Lora } from "../nn/lora.ts";
import type { Block } from "../nn/tower.ts";
import type { TorchRandom } from "../tensor/torch-random.ts";
import { Weight } from "../tensor/weight.ts";

/** Parts of a block that can get adapters. */
export const loraModules = ["attention", "output", "mlp"] as const;

/** The name of a part. */
export type LoraModule = (typeof loraModules)[number];

/** The matrices of each part: query, key and value; the output of attention; the MLP. Of CLIP's own blocks, and of BERT's. */
const matrices: Readonly<Record<LoraModule, RegExp>> = {
  attention: /\.(attn\.in_proj_weight|attention\.self\.(query|key|value)\.weight)$/,
  output: /\.(attn\.out_proj|attention\.output\.dense)\.weight$/,
  mlp: /\.(mlp\.c_(fc|proj)|intermediate\.dense|(?<!attention\.)output\.dense)\.weight$/,
};

/** The matrices of the given parts of blocks, in the order of the blocks. */
export function loraTargets(blocks: readonly Block[], modules: readonly LoraModule[]): Weight<Rank.R2>[] {
  const isWanted = (name: string): boolean => modules.some((module) => matrices[module].test(name));
  return blocks
    .flatMap(({ scope }) => scope.weights)
    .filter((handle): handle is Weight<Rank.R2> => handle instanceof Weight && isWanted(handle.name));
}

/**
 * Attaches adapters that change nothing yet: A is uniform in ±1/√in, B is 0.
 *
 * Source: peft, tuners/lora/layer.py, reset_lora_parameters (kaiming_uniform_ with a = √5).
 * @returns the adapters, which the caller disposes
 */
export function attachLora(
  targets: readonly Weight<Rank.R2>[],
  { rank, alpha, random }: { readonly rank: number; readonly alpha: number; readonly random: TorchRandom },
): Lora[] {
  return targets.map((target) => {
    const [outWidth, inWidth] = target.shape;
    const a = random.uniform(rank * inWidth, 1 / Math.sqrt(inWidth));
    return new Lora(target, rank, alpha, { a, b: new Float32Array(outWidth * rank) });
  });
}
