/** Synthetic features for specs: noise around a centre for each class. */
import type { LabelledFeatures } from "../../lib/features/features.ts";
import { TorchRandom } from "../../lib/tensor/torch-random.ts";

export function randomFeatures(rows: number, width: number, classes: number, noise = 1): LabelledFeatures {
  const random = new TorchRandom(0);
  const centres = random.uniform(classes * width, 1);
  const values = random.uniform(rows * width, noise);
  const labels = Array.from({ length: rows }, (_, row) => row % classes);
  for (let i = 0; i < values.length; i++) {
    values[i]! += centres[labels[Math.floor(i / width)]! * width + (i % width)]!;
  }
  return { name: "random", values, rows, width, labels, classNames: null, paths: null, metadata: {} };
}
