/** Converts a checkpoint to a model directory: weights as safetensors, config, tokenizer. */
import { rename, stat } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import type { Layout } from "../../lib/checkpoint/layouts/index.ts";
import { architectureByName } from "../../lib/clip/config/open-clip.ts";
import { fitTensors, recognizeArchitecture } from "../../lib/clip/config/recognize.ts";
import { assertSpace } from "../../lib/node/files/disk-space.ts";
import { unreadable } from "../../lib/node/files/file-source.ts";
import { exists } from "../../lib/node/files/exists.ts";
import { copyCompanions } from "../../lib/node/models/copy-companions.ts";
import {
  configName,
  findModel,
  readForeignConfig,
  readModelAt,
  type ModelDirectory,
  type ModelPlace,
} from "../../lib/node/models/model-directory.ts";
import {
  findWeights,
  openModelWeights,
  type OpenedWeights,
  type Weights,
} from "../../lib/node/models/weights-file.ts";
import { findLayout, findLayoutOfFile } from "../../lib/node/models/foreign-model.ts";
import { bytesPerElement, elementCount, type Dtype } from "../../lib/tensor/dtype.ts";
import type { FloatDtype } from "../../lib/tensor/rounding.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { withNewFolder } from "./new-folder.ts";
import { planWeights, writeWeights } from "./write-weights.ts";

const weightsName = "open_clip_model.safetensors";

export interface ConvertOptions {
  /** One of open_clip's names. Default: the config next to the source, else inferred from tensor names and shapes. */
  readonly arch?: string;
  /** Default: each tensor keeps its dtype. */
  readonly dtype?: FloatDtype;
  /** Replace an existing model directory. */
  readonly force?: boolean;
  /** Keep a stored logit scale that the training did not use (clip-italian's 1; default: 20). */
  readonly keepLogitScale?: boolean;
  /** Write infinities for numbers that are too large for the dtype. */
  readonly allowOverflow?: boolean;
  /** Called with the bytes written so far, and in total. */
  readonly onProgress?: (done: number, total: number) => void;
}

export interface ConvertReport {
  /** The file of weights that was read. */
  readonly source: string;
  readonly format: Weights["format"];
  /** The model directory that was written. */
  readonly destination: string;
  readonly architecture: {
    /** open_clip's name; null if the config describes the architecture itself. */
    readonly name: string | null;
    readonly from: "config" | "--arch" | "table" | "shapes" | "layout";
    /** Other architectures with the same tensors. */
    readonly alternatives: readonly string[];
  };
  /** "Chinese-CLIP", if it is a model of another project; null otherwise. */
  readonly layout: string | null;
  /** What a user should know about the translation of another project's model. */
  readonly notes: readonly string[];
  readonly tensors: number;
  readonly parameters: number;
  /** Size of the tensors in the weights file. */
  readonly bytes: number;
  readonly dtypes: Partial<Record<Dtype, number>>;
  /** Finite numbers that became infinite. */
  readonly overflowed: number;
  /** Numbers that became subnormal or zero. */
  readonly subnormal: number;
  /** Buffers in old files that no layer reads. */
  readonly ignored: readonly string[];
  /** Tensors that the model does not have. */
  readonly leftOut: readonly string[];
  /** Entries of the state dict that are not tensors. */
  readonly skipped: readonly string[];
  /** Files that were written next to the weights. */
  readonly files: readonly string[];
}

/**
 * Converts a checkpoint file or a model directory.
 *
 * @param source a safetensors or PyTorch file, an index of shards, a folder that holds one, or "hf:REPOSITORY" for a
 *   model in the hub's cache
 * @param destination the model directory to write
 * @throws InputError if the source is damaged or does not match its architecture, the destination exists, or numbers
 *   overflow; nothing is left behind
 */
export async function convert(
  source: string,
  destination: string,
  options: ConvertOptions = {},
): Promise<ConvertReport> {
  const place = await findModel(source);
  const kind = await stat(place.path).catch((error: unknown) => {
    throw unreadable(place.path, error);
  });
  const layout = await chooseLayout(place, kind.isDirectory(), options.arch);
  const path = kind.isDirectory() ? await findWeights(place.path, place.hint, layout) : place.path;
  if (`${resolve(path)}/`.startsWith(`${resolve(destination)}/`)) {
    throw new InputError(`${destination}: contains the source; choose another folder`);
  }
  const { keepLogitScale = false } = options;
  const weights = await openModelWeights(path, layout, { keepLogitScale });
  try {
    return await convertWeights(path, place, layout, weights, destination, options);
  } finally {
    await weights.store.close();
  }
}

/** The layout of a model of another project; undefined if it is OpenCLIP's. */
async function chooseLayout(
  { path, pretrained }: ModelPlace,
  isDirectory: boolean,
  arch: string | undefined,
): Promise<Layout | undefined> {
  const isNamed = arch !== undefined || pretrained !== undefined;
  if (isNamed || (await exists(join(isDirectory ? path : dirname(path), configName)))) return undefined;
  return isDirectory ? findLayout(path) : findLayoutOfFile(path);
}

async function convertWeights(
  path: string,
  place: ModelPlace,
  layout: Layout | undefined,
  { store, format, skipped, notes }: OpenedWeights,
  destination: string,
  { arch, dtype, force = false, allowOverflow = false, onProgress }: ConvertOptions,
): Promise<ConvertReport> {
  const architecture: ConvertReport["architecture"] =
    layout === undefined
      ? await chooseArchitecture(path, place, store.tensors, format, arch)
      : { name: null, from: "layout", alternatives: [] };
  const folderOfModel = { ...place, path: dirname(path) };
  const model: ModelDirectory =
    layout === undefined
      ? await readModelAt(folderOfModel, architecture.name ?? undefined)
      : { ...folderOfModel, layout, ...(await readForeignConfig(layout, dirname(path))) };
  const fit = fitTensors(model.config, store.tensors);
  if (fit.problems.length > 0) {
    const count = fit.problems.length === 1 ? "1 tensor does" : `${fit.problems.length} tensors do`;
    const where = architecture.from === "config" ? join(dirname(path), configName) : architecture.name;
    throw new InputError(
      `${path}: ${count} not match the architecture of ${where}; choose another with --arch`,
      fit.problems.slice(0, 20),
    );
  }

  const plan = planWeights(store, fit.wanted, dtype);
  const bytes = plan.reduce((sum, spec) => sum + elementCount(spec.shape) * bytesPerElement[spec.dtype], 0);
  let done = 0;
  const onBytes = (count: number): void => {
    done += count;
    onProgress?.(done, bytes);
  };
  const metadata = { format: "pt", ...store.metadata };
  return withNewFolder(destination, force, async (folder) => {
    await assertSpace(folder, bytes, destination);
    const partial = join(folder, `${weightsName}.partial`);
    const written = await writeWeights(partial, store, plan, metadata, onBytes);
    if (written.overflowed > 0 && !allowOverflow) {
      throw new InputError(
        `${path}: ${written.overflowed} numbers are too large for ${String(dtype)} and would become infinite; convert to bf16 or f32, or use --allow-overflow`,
      );
    }
    const files = await copyCompanions(model, architecture.name, folder);
    await rename(partial, join(folder, weightsName));
    const dtypes: Partial<Record<Dtype, number>> = {};
    for (const spec of plan) dtypes[spec.dtype] = (dtypes[spec.dtype] ?? 0) + 1;
    return {
      source: path,
      format,
      destination,
      architecture,
      layout: layout?.name ?? null,
      notes,
      tensors: plan.length,
      parameters: plan.reduce((sum, { shape }) => sum + elementCount(shape), 0),
      bytes,
      dtypes,
      overflowed: written.overflowed,
      subnormal: written.subnormal,
      ignored: fit.ignored,
      leftOut: fit.unexpected,
      skipped,
      files,
    };
  });
}

async function chooseArchitecture(
  path: string,
  { pretrained }: ModelPlace,
  tensors: Weights["store"]["tensors"],
  format: Weights["format"],
  arch: string | undefined,
): Promise<ConvertReport["architecture"]> {
  if (arch !== undefined) {
    architectureByName(arch);
    return { name: arch, from: "--arch", alternatives: [] };
  }
  if (await exists(join(dirname(path), configName))) return { name: null, from: "config", alternatives: [] };
  if (pretrained !== undefined) return { name: pretrained.architecture, from: "table", alternatives: [] };
  const names = await recognizeArchitecture(tensors);
  // TorchScript archives are OpenAI's models, which use QuickGELU.
  const name = (format === "torchscript" && names.find((one) => one.endsWith("-quickgelu"))) || names[0];
  if (name !== undefined) {
    return { name, from: "shapes", alternatives: names.filter((other) => other !== name) };
  }
  throw new InputError(
    `${path}: its tensors do not match a known architecture; put ${configName} next to it or choose the architecture with --arch`,
  );
}
