/** What an evaluation needs from its host. `lib/node/datasets` implements it under Node. */
import type { Host } from "../features/host.ts";
import type { DatasetFiles } from "./dataset-files.ts";

/** Files, images, and the files of datasets. */
export interface EvaluationHost extends Host {
  readonly datasets: DatasetFiles;
}
