/** The result of a fine-tuning run: the tuned weights, as a model directory or as adapters, and a classifier. */
import { join } from "node:path";
import { encodePeftConfig, peftFiles, peftNames } from "../../checkpoint/peft.ts";
import { loraStore, type LoraMatrices } from "../../checkpoint/lora-store.ts";
import type { Clip } from "../../clip/clip.ts";
import { describeImageFeatures } from "../../features/origin.ts";
import type { Lora } from "../../nn/lora.ts";
import { Probe } from "../../probe/probe.ts";
import { DerivedStore, type DerivedTensor } from "../../tensor/derived-store.ts";
import { encodeSafetensors } from "../../tensor/safetensors.ts";
import type { TensorStore } from "../../tensor/store.ts";
import type { LinearValues } from "../../train/classifier-head.ts";
import { saveProbe } from "../features/probes.ts";
import { explainWriting } from "../files/output-path.ts";
import { writeWhole } from "../files/write-file.ts";
import { tensorsOf, writeTensors } from "../files/write-tensors.ts";
import { nodeHost } from "../host.ts";
import { copyCompanions } from "../models/copy-companions.ts";
import type { ModelDirectory } from "../models/model-directory.ts";

export const modelWeightsName = "open_clip_model.safetensors";
export const headName = "head.safetensors";

/** The weights of the best epoch, by their names. */
export type TrainedValues = ReadonlyMap<string, Float32Array>;

/** The base with tuned weights, or with adapters folded in. @param name for messages, and the model's name */
export function tunedStore(
  name: string,
  base: TensorStore,
  values: TrainedValues,
  adapters: readonly Lora[],
): TensorStore {
  if (adapters.length > 0) {
    const matrices = adapters.map(({ target, scale, a, b }): [string, LoraMatrices] => [
      target.name,
      { a: values.get(a.name)!, b: values.get(b.name)!, scale },
    ]);
    return loraStore(name, base, new Map(matrices));
  }
  const derived = Array.from(values).flatMap(([own, numbers]): [string, DerivedTensor][] => {
    const info = base.tensors.get(own);
    if (info === undefined) return []; // the classifier's
    return [[own, { shape: info.shape, values: (at, count) => numbers.slice(at, at + count) }]];
  });
  return new DerivedStore(name, base, new Map(derived));
}

/** Writes a model directory: config, tokenizer and weights. @throws InputError if the disk is full, or fails */
export async function writeModel(
  folder: string,
  files: ModelDirectory,
  arch: string | undefined,
  store: TensorStore,
  onBytes?: (count: number) => void,
): Promise<void> {
  await copyCompanions(files, arch ?? null, folder).catch((error: unknown) => {
    throw explainWriting(folder, error);
  });
  const metadata = { format: "pt", ...store.metadata };
  await writeTensors(join(folder, modelWeightsName), tensorsOf(store), metadata, onBytes);
}

/** Writes adapters in peft's layout. @param base the name of the model that they adapt */
export async function writeAdapters(
  folder: string,
  base: string,
  adapters: readonly Lora[],
  values: TrainedValues,
  { alpha, dropout }: { readonly alpha: number; readonly dropout: number },
): Promise<void> {
  const tensors = adapters.flatMap(({ target, a, b }) => {
    const names = peftNames(target.name);
    return ([[names.a, a], [names.b, b]] as const).map(([name, { shape, name: own }]) => {
      const numbers = values.get(own)!;
      const bytes = new Uint8Array(numbers.buffer, numbers.byteOffset, numbers.byteLength);
      return { name, dtype: "F32" as const, shape, bytes };
    });
  });
  const names = adapters.map(({ target }) => target.name);
  const config = encodePeftConfig(base, names, { rank: adapters[0]!.rank, alpha, dropout });
  await writeWhole(join(folder, peftFiles.weights), [encodeSafetensors(tensors, { format: "pt" })]);
  await writeWhole(join(folder, peftFiles.config), [new TextEncoder().encode(config)]);
}

/** What a classifier's file records besides its numbers. */
export interface HeadFacts {
  readonly classNames: readonly string[];
  readonly recipe: string;
  readonly settings: Readonly<Record<string, unknown>>;
}

/** Writes a classifier of a model's normalised embeddings as a probe file. */
export async function writeHead(
  path: string,
  model: Clip,
  { weight, bias }: LinearValues,
  { classNames, recipe, settings }: HeadFacts,
): Promise<void> {
  const [origin] = await describeImageFeatures(nodeHost, model, ["visual"], { normalize: true });
  const probe = new Probe({
    name: path,
    weight: Float32Array.from(weight),
    bias: Float32Array.from(bias),
    classNames,
    metadata: { ...origin, recipe, settings: JSON.stringify(settings) },
  });
  await saveProbe(probe, path);
}
