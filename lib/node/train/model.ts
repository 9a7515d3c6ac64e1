/** The model that a run trains: a model directory, with its own weights, those of another file, or of a checkpoint. */
import { openTrainingCheckpoint, type TrainingCheckpoint } from "../../checkpoint/index.ts";
import { Clip } from "../../clip/clip.ts";
import type { BackendChoice } from "../../tensor/backend.ts";
import type { TensorStore } from "../../tensor/store.ts";
import { startNodeBackend } from "../backends/backends.ts";
import { crc32 } from "../files/crc32.ts";
import { FileSource } from "../files/file-source.ts";
import { fittingResidency, threadsFor } from "../models/load-model.ts";
import { readModelDirectory } from "../models/model-directory.ts";
import { readTokenizer } from "../models/read-tokenizer.ts";
import { openWeights, openWeightsFile } from "../models/weights-file.ts";

export interface ModelChoice {
  /** A model directory; its config and tokenizer in any case. */
  readonly model: string;
  readonly arch?: string | undefined;
  readonly backend?: BackendChoice;
  /** A file of weights to use in place of the directory's. */
  readonly pretrained: string | null;
  /** A checkpoint whose weights come before all others. */
  readonly checkpoint: TrainingCheckpoint | null;
}

/** @throws InputError as `loadModel`, and for weights that do not fit the model's config */
export async function loadTrainedModel({
  model,
  arch,
  backend,
  pretrained,
  checkpoint,
}: ModelChoice): Promise<Clip> {
  const files = await readModelDirectory(model, arch);
  const started = await startNodeBackend(backend, threadsFor(files.config));
  const open = async (): Promise<TensorStore> => {
    if (checkpoint !== null) return checkpoint.weights;
    if (pretrained !== null) return (await openWeightsFile(pretrained)).store;
    return openWeights(files.path, files.hint, files.layout);
  };
  const store = await open();
  try {
    return new Clip({
      config: files.config,
      store,
      preprocess: files.preprocess,
      loadTokenizer: () => readTokenizer(files),
      residency: fittingResidency(store, started.name),
    });
  } catch (error) {
    await store.close();
    throw error;
  }
}

/** @throws InputError if it is not a PyTorch file, or damaged */
export async function openCheckpoint(path: string): Promise<TrainingCheckpoint> {
  return openTrainingCheckpoint(await FileSource.open(path), crc32);
}
