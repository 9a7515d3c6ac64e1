/** Reads PyTorch files (zip, legacy, TorchScript) and finds the state dict in them. */
export * from "./state-dict.ts";
export { isTorchFile } from "./torch-file.ts";
