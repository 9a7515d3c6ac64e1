/** What an evaluation needs from its host. `lib/node/eval` implements it under Node. */
import type { Host } from "../features/host.ts";
import type { DatasetFiles } from "./dataset-files.ts";
import type { PackagedPrompts } from "./prompts/choose-prompts.ts";

/** Files, images, and the files of datasets. */
export interface EvaluationHost extends Host {
  readonly datasets: DatasetFiles;
  /** CLIP_benchmark's class names and templates. @throws InputError for an unknown language, with the known ones */
  packagedPrompts(language: string): Promise<PackagedPrompts>;
}
