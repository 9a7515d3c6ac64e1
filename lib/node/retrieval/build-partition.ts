/** Embeds one partition of a plan and commits it. */
import { getBackend } from "@tensorflow/tfjs-core";
import type { Clip } from "../../clip/clip.ts";
import { TryAgainError } from "../../errors/try-again-error.ts";
import { embeddingOptions } from "../../features/origin.ts";
import type { Marker } from "../../retrieval/marker.ts";
import type { PlanFile, PlannedPartition } from "../../retrieval/plan-file.ts";
import { embedLoadedImages } from "../../tasks/embed-images.ts";
import { nodeHost } from "../host.ts";
import { loadImages } from "../images/embed-images.ts";
import { CaptionVectors } from "./caption-vectors.ts";
import { openInputs, type PartitionInputs } from "./partition-inputs.ts";
import { PartitionWriter } from "./partition-writer.ts";
import { asTryAgain } from "./try-again.ts";

export interface PartitionWork {
  /** The index folder. */
  readonly folder: string;
  readonly plan: PlanFile;
  /** The plan's digest. */
  readonly digest: string;
  readonly partition: PlannedPartition;
  /** Threads that decode images. */
  readonly workers?: number;
  /** Receives the reason for each image that gets no row. */
  readonly onFailed: (message: string) => void;
  /** Called after each batch with the inputs of the partition that are done. */
  readonly onProgress: (done: number) => void;
  /** Asked before the partition is committed: throws if the work is no longer wanted. */
  readonly mayCommit?: () => Promise<void>;
}

/**
 * Embeds the images of a partition, in their order, and writes its files. Memory does not depend on the number of
 * images, besides their names.
 *
 * @throws TryAgainError for a full disk, or files that cannot be reached for now; nothing is committed then
 */
export async function buildPartition(model: Clip, work: PartitionWork): Promise<Marker> {
  const { folder, plan, partition } = work;
  const started = performance.now();
  try {
    const inputs = await openInputs(folder, partition, plan.base, plan.columns);
    const writer = await PartitionWriter.create({
      folder,
      number: partition.number,
      width: model.config.embedDim,
      sides: plan.textOrigin === null ? ["image"] : ["image", "text"],
      columns: plan.columns,
    }).catch(async (error: unknown) => {
      await inputs.close();
      throw error;
    });
    try {
      await embedInto(writer, model, inputs, work);
      const seconds = Number(((performance.now() - started) / 1000).toFixed(3));
      return await writer.commit(
        { plan: work.digest, backend: getBackend(), madeBy: nodeHost.madeBy, seconds },
        work.mayCommit,
      );
    } finally {
      await writer.discard();
      await inputs.close();
    }
  } catch (error) {
    throw asTryAgain(error);
  }
}

async function embedInto(
  writer: PartitionWriter,
  model: Clip,
  inputs: PartitionInputs,
  { plan, partition, workers, onFailed, onProgress }: PartitionWork,
): Promise<void> {
  const images = writer.vectors("image");
  const captions = plan.textOrigin === null ? null : new CaptionVectors(model, writer.vectors("text"));
  const failures = new Map<number, string>();
  for (const failed of inputs.failed) {
    writer.fail(failed);
    onFailed(failed.error);
  }
  /** The metadata of the inputs up to one, whose vectors are written. */
  let next = 0;
  const appendRows = async (end: number, embedded: ReadonlySet<number>): Promise<void> => {
    for (; next < end; next++) {
      const row = await inputs.row(next);
      const error = failures.get(next);
      if (error !== undefined) {
        failures.delete(next);
        const url = row["url"] as string | null;
        const name = String(row["image_path"]);
        const message = error.replace(nameOfInput(inputs, next), () => name);
        writer.fail({ image_path: name, url: url ?? null, error: message });
        onFailed(message);
        continue;
      }
      if (!embedded.has(next)) throw new Error(`partition ${partition.number}: input ${next} has no vector`);
      await writer.append(row);
      await captions?.append((row["caption"] as string | null) ?? null);
    }
  };
  const { exifOrientation, convertToRgbFirst } = embeddingOptions(plan.origin);
  const loading = {
    batchSize: plan.batch,
    exifOrientation,
    convertToRgbFirst,
    ...(workers !== undefined && { workers }),
  };
  const batches = embedLoadedImages(model, loadImages(model, inputs.images, loading), {
    batchSize: plan.batch,
    normalize: true,
    onError: (error, _path, index) => {
      if (error instanceof TryAgainError) throw error;
      failures.set(index, error.message);
    },
  });
  for await (const { features, indices, done } of batches) {
    let values: Float32Array;
    try {
      values = await features.data<"float32">();
    } finally {
      features.dispose();
    }
    const finite = dropNonFinite(values, indices, failures);
    await images.append(finite.values);
    await appendRows(done, new Set(finite.indices));
    onProgress(done);
  }
  await appendRows(inputs.images.length, new Set());
  await captions?.flush();
}

function nameOfInput({ images }: PartitionInputs, index: number): string {
  const image = images.at(index)!;
  return typeof image === "string" ? image : image.name;
}

/** Vectors that are not numbers would be found by every query, or by none. */
function dropNonFinite(
  values: Float32Array,
  indices: readonly number[],
  failures: Map<number, string>,
): { readonly values: Float32Array; readonly indices: readonly number[] } {
  const width = values.length / indices.length;
  const isFinite = indices.map((_, i) =>
    values.subarray(i * width, (i + 1) * width).every((value) => Number.isFinite(value)),
  );
  if (!isFinite.includes(false)) return { values, indices };
  const kept = indices.filter((_, i) => isFinite[i]);
  const left = new Float32Array(kept.length * width);
  let to = 0;
  for (const [i, index] of indices.entries()) {
    if (isFinite[i] === true) left.set(values.subarray(i * width, (i + 1) * width), width * to++);
    else failures.set(index, "the model gives numbers that are not finite; check its weights");
  }
  return { values: left, indices: kept };
}
