/** Pictures of what goes on inside. Runs in a browser too. */
export * from "./attention.ts";
export * from "../draw/raster.ts";
export * from "./study.ts";
export * from "./weights.ts";
