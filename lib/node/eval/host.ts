/** Node, as the host of evaluations. */
import type { EvaluationHost } from "../../eval/host.ts";
import { nodeHost } from "../host.ts";
import { datasetFiles } from "./dataset-files.ts";
import { packagedPrompts } from "./packaged-prompts.ts";

export const evaluationHost: EvaluationHost = {
  files: nodeHost.files,
  get madeBy() {
    return nodeHost.madeBy;
  },
  modelName: nodeHost.modelName.bind(nodeHost),
  loadImages: nodeHost.loadImages.bind(nodeHost),
  datasets: datasetFiles,
  packagedPrompts,
};
