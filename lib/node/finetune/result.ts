/** The result of a fine-tuning run: the tuned weights, as a model directory or as adapters, and a classifier. */
import { join } from "node:path";
import { encodePeftConfig, peftFiles, peftNames, peftPartner } from "../../checkpoint/peft.ts";
import { loraStore, type LoraMatrices } from "../../checkpoint/lora-store.ts";
import type { Clip } from "../../clip/clip.ts";
import { bytesOf } from "../../features/features-file.ts";
import { describeImageFeatures } from "../../features/origin.ts";
import type { Lora } from "../../nn/lora.ts";
import { Probe } from "../../probe/probe.ts";
import { DerivedStore, type DerivedTensor } from "../../tensor/derived-store.ts";
import { encodeSafetensors, type TensorSpec } from "../../tensor/safetensors.ts";
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
  const names = adapters.map(({ target }) => target.name);
  const tensors = adapters.flatMap(({ target, rank, a, b }) => {
    const [outWidth, inWidth] = target.shape;
    const own = adapterTensors(
      target.name,
      rank,
      [outWidth, inWidth],
      values.get(a.name)!,
      values.get(b.name)!,
    );
    const partner = peftPartner(target.name);
    if (partner === null || names.includes(partner)) return own;
    // B is 0, so that it changes nothing.
    const width = inWidth;
    const out = partner.endsWith("in_proj_weight") ? 3 * width : width;
    const none = new Float32Array(rank * out);
    return [...own, ...adapterTensors(partner, rank, [out, width], values.get(a.name)!, none)];
  });
  const config = encodePeftConfig(base, names, { rank: adapters[0]!.rank, alpha, dropout });
  await writeWhole(join(folder, peftFiles.weights), [encodeSafetensors(tensors, { format: "pt" })]);
  await writeWhole(join(folder, peftFiles.config), [new TextEncoder().encode(config)]);
}

function adapterTensors(
  weight: string,
  rank: number,
  [outWidth, inWidth]: readonly [number, number],
  a: Float32Array,
  b: Float32Array,
): (TensorSpec & { readonly bytes: Uint8Array })[] {
  const names = peftNames(weight);
  return [
    { name: names.a, dtype: "F32", shape: [rank, inWidth], bytes: bytesOf(a) },
    { name: names.b, dtype: "F32", shape: [outWidth, rank], bytes: bytesOf(b) },
  ];
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
