/**
 * Files of classifiers of normalised embeddings: probe files, and CLIP_benchmark's `.pt` files.
 *
 * Source: CLIP_benchmark, metrics/zeroshot_classification.py, evaluate: `save_clf`, `load_clfs`.
 */
import { InputError } from "../../errors/input-error.ts";
import type { Classifier } from "../../eval/metrics/accuracy.ts";
import type { Rows } from "../../features/features.ts";
import { readTorchFile, isTorchFile } from "../../checkpoint/torch-file.ts";
import { TorchTensor } from "../../checkpoint/torch-objects.ts";
import { TorchStore } from "../../checkpoint/torch-store.ts";
import { Probe } from "../../probe/probe.ts";
import { readFloat32 } from "../../tensor/store.ts";
import { openProbe, saveProbe } from "../features/probes.ts";
import { crc32 } from "../files/crc32.ts";
import { FileSource } from "../files/file-source.ts";

/** The mean of classifiers, which is not normalised again. @throws InputError if a file cannot be read, or shapes differ */
export async function readClassifiers(paths: readonly string[]): Promise<Classifier> {
  const all: Classifier[] = [];
  for (const path of paths) all.push(await readClassifier(path));
  const [first] = all;
  if (first === undefined) throw new InputError("expected the file of at least one classifier, got none");
  const values = new Float32Array(first.values.length);
  const bias = all.some((one) => one.bias) ? new Float32Array(first.rows) : null;
  for (const [i, { values: own, bias: ofOwn, rows, width }] of all.entries()) {
    if (rows !== first.rows || width !== first.width) {
      throw new InputError(
        `${paths[i]!}: expected ${first.rows} classes and embeddings of ${first.width} numbers as in ${paths[0]!}, found ${rows} and ${width}`,
      );
    }
    for (let at = 0; at < own.length; at++) values[at]! += Math.fround(own[at]! / all.length);
    for (let c = 0; c < rows; c++) if (bias) bias[c]! += (ofOwn?.[c] ?? 0) / all.length;
  }
  return { ...first, values, ...(bias && { bias }) };
}

async function readClassifier(path: string): Promise<Classifier> {
  const source = await FileSource.open(path);
  if (await isTorchFile(source)) {
    try {
      return await readTorchClassifier(source);
    } finally {
      await source.close();
    }
  }
  await source.close();
  const { weight, bias, cache, width, metadata } = await openProbe(path);
  if (cache !== undefined) {
    throw new InputError(
      `${path}: expected a classifier of one embedding for each class, found a Tip-Adapter, which has a cache of examples; ` +
        '"clipscope probe eval" measures it',
    );
  }
  const hasBias = bias.some((value) => value !== 0);
  if (hasBias && metadata["normalized"] !== "true") {
    throw new InputError(
      `${path}: expected a classifier of normalised embeddings, found a probe that was fitted on others; "clipscope probe eval" measures it`,
    );
  }
  return { values: weight, rows: bias.length, width, ...(hasBias && { bias }) };
}

/** CLIP_benchmark keeps the transposed matrix, [embedDim, classes]. */
async function readTorchClassifier(source: FileSource): Promise<Rows> {
  const file = await readTorchFile(source, crc32);
  const { root } = file;
  if (!(root instanceof TorchTensor) || root.shape.length !== 2) {
    throw new InputError(
      `${source.name}: expected a matrix [embedDim, classes] as CLIP_benchmark's --save_clf writes it, found something else`,
    );
  }
  const [width, rows] = root.shape as [number, number];
  const transposed = await readFloat32(
    new TorchStore(source, file, new Map([["classifier", root]])),
    "classifier",
  );
  const values = new Float32Array(rows * width);
  for (let c = 0; c < rows; c++)
    for (let i = 0; i < width; i++) values[c * width + i] = transposed[i * rows + c]!;
  return { values, rows, width };
}

/** Writes a classifier as a probe, with which `probe predict` and `probe eval` classify. @throws InputError if it cannot be written */
export async function saveClassifier(
  path: string,
  { values, rows, bias = new Float32Array(rows) }: Classifier,
  { classNames, model }: { readonly classNames: readonly string[]; readonly model: string },
): Promise<void> {
  const metadata = { recipe: "zero-shot", model, tap: "visual", normalized: "true" };
  await saveProbe(new Probe({ name: path, weight: values, bias, classNames, metadata }), path);
}
