/** Plans an index, or an addition to one. */
import { join, resolve } from "node:path";
import type { Clip } from "../../clip/clip.ts";
import { InputError } from "../../errors/input-error.ts";
import { sha256 } from "../../features/digest.ts";
import type { Metadata } from "../../features/features.ts";
import {
  assertSameOrigin,
  describeImageFeatures,
  describeTextFeatures,
  embeddingOptions,
} from "../../features/origin.ts";
import { embeddingTap } from "../../tasks/embed-images.ts";
import { textTap } from "../../tasks/embed-texts.ts";
import type { ColumnInfo } from "../../retrieval/columns.ts";
import type { IndexFile, PlanEntry } from "../../retrieval/index-file.ts";
import { indexName, planPath } from "../../retrieval/layout.ts";
import { encodePlanFile, type PlanFile } from "../../retrieval/plan-file.ts";
import { exists } from "../files/exists.ts";
import { makeFolder } from "../files/make-folder.ts";
import { writeWhole } from "../files/write-file.ts";
import { nodeHost } from "../host.ts";
import { whileChanging, writeIndexFile } from "./change-index.ts";
import type { KnownInputs } from "./known-inputs.ts";
import { columnsOfSources, divideSources, type DivideOptions } from "./make-plan.ts";
import { readIndexFile } from "./read-index-file.ts";
import { findSources } from "./sources.ts";

export interface PlanOptions extends DivideOptions {
  /** Embed the captions too. */
  readonly captions: boolean;
  readonly exifOrientation?: boolean;
  /** Images per pass. */
  readonly batch: number;
  /** The backend that every task must use, or "mixed". */
  readonly backend: string;
}

/** A plan, and where it stands in its index. */
export interface MadePlan {
  readonly entry: PlanEntry;
  readonly plan: PlanFile;
}

/**
 * Plans an index of sources in a new or empty folder.
 *
 * @throws InputError if the folder is an index, or the sources cannot be read or have no images
 */
export async function planIndex(
  folder: string,
  given: readonly string[],
  model: Clip,
  options: PlanOptions,
): Promise<MadePlan> {
  await makeFolder(folder);
  return whileChanging(folder, async () => {
    if (await exists(join(folder, indexName))) {
      throw new InputError(
        `${folder}: is an index; continue it with "clipscope index build --out ${folder}", or add sources with "clipscope index add"`,
      );
    }
    const origin = await imageOrigin(model, options.exifOrientation ?? false);
    const textOrigin = options.captions ? await captionOrigin(model) : null;
    const base = resolve(".");
    const sources = await findSources(given);
    const columns = await columnsOfSources(sources, base, options);
    const { partitions, replaces } = await divideSources(folder, sources, 0, base, columns, null, options);
    if (partitions.length === 0) throw new InputError(`${given.join(", ")}: no images`);
    const { backend, batch } = options;
    const plan = {
      ...{ sources: [...given], base, origin, textOrigin },
      ...{ backend, batch, columns, replaces, partitions },
    };
    const entry = await writePlan(folder, plan, 0);
    await writeIndexFile(folder, {
      generation: 0,
      width: model.config.embedDim,
      origin,
      textOrigin,
      isAdopted: false,
      columns,
      columnSets: [],
      base,
      plans: [entry],
      partitions: [],
      next: entry.count,
    });
    return { entry, plan };
  });
}

/**
 * Plans the inputs of sources that the index does not have yet.
 *
 * @param known what it has
 * @returns null if there is nothing new
 * @throws InputError if the index is of another model or preprocessing
 */
export async function planAddition(
  folder: string,
  given: readonly string[],
  model: Clip,
  known: KnownInputs,
  options: Omit<PlanOptions, "captions" | "exifOrientation">,
): Promise<MadePlan | null> {
  return whileChanging(folder, async () => {
    const index = await readIndexFile(folder);
    await assertIndexModel(folder, index, model);
    const { base, origin, textOrigin, next: first } = index;
    const sources = await findSources(given);
    const columns = extendColumns(index.columns, await columnsOfSources(sources, base, options));
    const { partitions, replaces } = await divideSources(
      folder,
      sources,
      first,
      base,
      columns,
      known,
      options,
    );
    if (partitions.length === 0) return null;
    const { backend, batch } = options;
    const plan = {
      ...{ sources: [...given], base, origin, textOrigin },
      ...{ backend, batch, columns, replaces, partitions },
    };
    const entry = await writePlan(folder, plan, first);
    await writeIndexFile(folder, {
      ...index,
      columns,
      plans: [...index.plans, entry],
      next: first + entry.count,
    });
    return { entry, plan };
  });
}

/** Known columns keep their types; `rest` stays the last. */
function extendColumns(known: readonly ColumnInfo[], found: readonly ColumnInfo[]): ColumnInfo[] {
  const names = new Set(known.map(({ name }) => name));
  const added = found.filter(({ name }) => !names.has(name));
  return [...known.slice(0, -1), ...added, ...known.slice(-1)];
}

/** @throws InputError unless the index was made by the model's image tower, with its preprocessing */
export async function assertIndexModel(
  folder: string,
  index: Pick<IndexFile, "origin" | "textOrigin" | "width">,
  model: Clip,
): Promise<void> {
  const { embedDim } = model.config;
  if (index.width !== embedDim) {
    throw new InputError(
      `${folder}: made with another model than the one in use: expected vectors of ${embedDim} numbers, found ${index.width}; choose its model with --model`,
    );
  }
  const { exifOrientation } = embeddingOptions(index.origin);
  assertSameOrigin(await imageOrigin(model, exifOrientation), index.origin, folder, "the model in use");
  if (index.textOrigin !== null)
    assertSameOrigin(await captionOrigin(model), index.textOrigin, folder, "the model in use");
}

/** What makes vectors the same, without the program and the backend. */
function comparable(metadata: Metadata): Metadata {
  const ignored = ["backend", "made_by"];
  return Object.fromEntries(Object.entries(metadata).filter(([key]) => !ignored.includes(key)));
}

export async function imageOrigin(model: Clip, exifOrientation: boolean): Promise<Metadata> {
  const [metadata] = await describeImageFeatures(nodeHost, model, [embeddingTap], {
    normalize: true,
    exifOrientation,
  });
  return comparable(metadata!);
}

async function captionOrigin(model: Clip): Promise<Metadata> {
  const [metadata] = await describeTextFeatures(nodeHost, model, [textTap], { normalize: true });
  return comparable(metadata!);
}

async function writePlan(folder: string, plan: PlanFile, first: number): Promise<PlanEntry> {
  const file = planPath(first);
  const bytes = new TextEncoder().encode(encodePlanFile(plan));
  if (first > 0) await makeFolder(join(folder, "plans"));
  await writeWhole(join(folder, file), [bytes]);
  return {
    file,
    digest: await sha256(bytes),
    first,
    count: plan.partitions.length,
    isCompacted: false,
  };
}
