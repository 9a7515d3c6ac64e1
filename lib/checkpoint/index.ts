/**
 * PyTorch checkpoint files, read without executing anything in them. Runs in browsers too.
 *
 * @module checkpoint
 */
export { openTorchCheckpoint, unwrapped, type TorchCheckpoint } from "./state-dict.ts";
export { isTorchFile } from "./torch-file.ts";
export { NewTensor, torchFileParts, type TorchValue } from "./torch-writer.ts";
export { PythonFloat } from "./pickle-writer.ts";
export {
  openTrainingCheckpoint,
  type OptimizerState,
  type TrainingCheckpoint,
} from "./training-checkpoint.ts";
