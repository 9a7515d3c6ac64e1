/**
 * The format of probe files: safetensors. A probe file is all that prediction needs.
 *
 * `weight` F32 [classes, D], `bias` F32 [classes]; metadata: those of the features (see features-file.ts), `recipe`,
 * `settings` (JSON), `training_accuracy`, and `class_ids` (a JSON list) where the labels of the classes are not 0, 1, 2, …
 * Tip-Adapter's have `cache.keys` F32 [N, D], `cache.labels` I64 [N], and in the metadata `alpha` and `beta`.
 */
import { bytesOf } from "../features/features-file.ts";
import { decodeTexts } from "../features/read-features.ts";
import { InputError } from "../errors/input-error.ts";
import { JsonValue } from "../json/json-value.ts";
import { encodeSafetensors, SafetensorsFile, type TensorSpec } from "../tensor/safetensors.ts";
import { readFloat32, readIntegers, tensorInfo, type ByteSource } from "../tensor/store.ts";
import type { FeatureCache } from "./feature-cache.ts";
import { Probe } from "./probe.ts";

/**
 * Reads a probe file and closes it. Under Node, `openProbe` takes a path.
 *
 * @throws InputError if it is damaged or not a probe file
 */
export async function decodeProbe(source: ByteSource): Promise<Probe> {
  const file = await SafetensorsFile.open(source);
  const { name, metadata } = file;
  try {
    if (!file.tensors.has("weight") && file.tensors.has("features")) {
      throw new InputError(`${name}: expected a probe, found features; "clipscope probe fit" makes one`);
    }
    const { shape } = tensorInfo(file, "weight");
    const [classes = 0, width = 0] = shape;
    const biasShape = tensorInfo(file, "bias").shape;
    if (shape.length !== 2 || classes < 2 || width < 1 || biasShape.join() !== `${classes}`) {
      throw new InputError(
        `${name}: expected a probe's weight [classes, D] and bias [classes], found [${shape.join(", ")}] and ` +
          `[${biasShape.join(", ")}]`,
      );
    }
    const classNames = decodeTexts(metadata, "class_names", name);
    if (classNames !== null && classNames.length !== classes) {
      throw new InputError(`${name}: ${classNames.length} class names for ${classes} classes`);
    }
    const classIds = decodeIds(metadata["class_ids"], classes, name);
    const [weight, bias] = [await readFloat32(file, "weight"), await readFloat32(file, "bias")];
    if (!weight.every(Number.isFinite) || !bias.every(Number.isFinite)) {
      throw new InputError(`${name}: holds numbers that are not finite; fit the probe again`);
    }
    const cache = file.tensors.has("cache.keys") ? await decodeCache(file, classes, width) : null;
    return new Probe({
      name,
      weight,
      bias,
      ...(cache && { cache }),
      classNames,
      ...(classIds && { classIds }),
      metadata,
    });
  } finally {
    await file.close();
  }
}

/** @throws InputError unless keys, labels, α and β are those of a cache */
async function decodeCache(file: SafetensorsFile, classes: number, width: number): Promise<FeatureCache> {
  const { name, metadata } = file;
  const { shape } = tensorInfo(file, "cache.keys");
  const labels = (await readIntegers(file, "cache.labels")).map(Number);
  if (shape.length !== 2 || shape[0] !== labels.length || shape[1] !== width || labels.length === 0) {
    throw new InputError(
      `${name}: expected cache.keys [N, ${width}] and cache.labels [N], found [${shape.join(", ")}] and [${labels.length}]`,
    );
  }
  const keys = await readFloat32(file, "cache.keys");
  const [alpha, beta] = [Number(metadata["alpha"]), Number(metadata["beta"])];
  if (!keys.every(Number.isFinite) || !Number.isFinite(alpha) || !Number.isFinite(beta)) {
    throw new InputError(
      `${name}: its cache holds numbers that are not finite, or lacks alpha and beta; adapt again`,
    );
  }
  const bad = labels.find((label) => !Number.isInteger(label) || label < 0 || label >= classes);
  if (bad !== undefined) {
    throw new InputError(`${name}: cache.labels: expected 0 to ${classes - 1}, found ${bad}`);
  }
  return { keys, labels, alpha, beta };
}

function decodeIds(json: string | undefined, classes: number, name: string): number[] | undefined {
  if (json === undefined) return undefined;
  const ids = JsonValue.parse(json, `${name}: metadata "class_ids"`).integers(0);
  if (ids.length === classes && new Set(ids).size === classes) return ids;
  throw new InputError(
    `${name}: metadata "class_ids": expected ${classes} different labels, one for each class, found ` +
      `${new Set(ids).size} in a list of ${ids.length}; fit the probe again`,
  );
}

/** A probe file. */
export function encodeProbe(probe: Probe): Uint8Array {
  const { weight, bias, cache, width, classNames, classIds, hasNames, metadata } = probe;
  const classes = bias.length;
  const tensors = [
    { name: "weight", dtype: "F32" as const, shape: [classes, width], bytes: bytesOf(weight) },
    { name: "bias", dtype: "F32" as const, shape: [classes], bytes: bytesOf(bias) },
    ...(cache === undefined ? [] : cacheTensors(cache, width)),
  ];
  const names = hasNames ? { class_names: JSON.stringify(classNames) } : {};
  const ids = classIds === undefined ? {} : { class_ids: JSON.stringify(classIds) };
  const factors = cache === undefined ? {} : { alpha: `${cache.alpha}`, beta: `${cache.beta}` };
  return encodeSafetensors(tensors, { ...metadata, ...names, ...ids, ...factors });
}

function cacheTensors({ keys, labels }: FeatureCache, width: number): (TensorSpec & { bytes: Uint8Array })[] {
  const rows = labels.length;
  const numbers = BigInt64Array.from(labels, BigInt);
  return [
    { name: "cache.keys", dtype: "F32", shape: [rows, width], bytes: bytesOf(keys) },
    { name: "cache.labels", dtype: "I64", shape: [rows], bytes: new Uint8Array(numbers.buffer) },
  ];
}
