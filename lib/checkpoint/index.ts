/** Readers of other people's files: PyTorch's zip and legacy formats, TorchScript, the shapes of checkpoints. */
export * from "./state-dict.ts";
export { isTorchFile } from "./torch-file.ts";
