/** Node, as the host of features and probes. */
import { readFileSync } from "node:fs";
import type { Host } from "../features/host.ts";
import { nodeFileSystem } from "./files/file-system.ts";
import { loadImages } from "./images/embed-images.ts";
import { modelName } from "./models/model-name.ts";

export const nodeHost: Host = {
  files: nodeFileSystem,
  get madeBy() {
    const path = new URL("../../../package.json", import.meta.url);
    const { version } = JSON.parse(readFileSync(path, "utf8")) as { version: string };
    return `clipscope ${version}`;
  },
  modelName,
  loadImages,
};
