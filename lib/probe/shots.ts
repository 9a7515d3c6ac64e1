/** Few-shot training sets. */
import { InputError } from "../errors/input-error.ts";
import { describeClass, selectRows, type LabelledFeatures } from "../features/features.ts";
import { rowsPerClass } from "./logistic-regression.ts";
import { TorchRandom } from "../tensor/torch-random.ts";

/**
 * Takes the first `shots` rows of each class in a random order, PyTorch's `randperm` for the seed.
 *
 * Source: CLIP_benchmark, clip_benchmark/metrics/linear_probe.py, evaluate.
 *
 * @throws InputError if a class has fewer rows
 */
export function takeShots(features: LabelledFeatures, shots: number, seed = 0): LabelledFeatures {
  const { name, labels, rows } = features;
  const counts = rowsPerClass(features);
  const poor = counts.findIndex((count) => count < shots);
  if (poor !== -1) {
    throw new InputError(
      `${name}: the class ${describeClass(features, poor)} has ${counts[poor]} rows, expected ${shots} for ${shots} shots`,
    );
  }
  const taken = counts.map(() => 0);
  const chosen = new TorchRandom(seed).permutation(rows).filter((row) => taken[labels[row]!]!++ < shots);
  return selectRows(features, chosen);
}
