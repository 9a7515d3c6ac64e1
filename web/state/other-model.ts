/** A model directory that the user has dropped: a second network, in a worker of its own. */
import { signal } from "@preact/signals";
import { findModelFiles } from "../../lib/browser/model-files.ts";
import type { ModelInfo } from "../../lib/studio/results.ts";
import type { WorkerClient } from "../worker/client.ts";
import { startWorker } from "./network.ts";

export interface OtherModel {
  readonly info: ModelInfo;
  readonly client: WorkerClient;
}

export const otherModel = signal<OtherModel | null>(null);

/** Bytes loaded of the model that is being opened; null while none is. */
export const openingModel = signal<{ readonly name: string } | null>(null);

let stop: () => void = () => undefined;

/**
 * Opens a model in place of the one before.
 *
 * @param files by path relative to the directory, or its address
 * @throws NoticeError if it cannot be read
 */
export async function openOtherModel(name: string, files: ReadonlyMap<string, Blob>): Promise<void> {
  const { worker, client } = startWorker(() => {
    otherModel.value = null;
  });
  openingModel.value = { name };
  try {
    const found = findModelFiles(name, [...files.keys()]);
    const info = await client.call("open", { name, folder: files, files: found });
    closeOtherModel();
    stop = () => {
      worker.terminate();
    };
    otherModel.value = { info, client };
  } catch (error) {
    worker.terminate();
    throw error;
  } finally {
    openingModel.value = null;
  }
}

export function closeOtherModel(): void {
  stop();
  stop = () => undefined;
  otherModel.value = null;
}
