/**
 * Training: optimizer, schedules, locks and the step of contrastive training. Runs in browsers too.
 *
 * `Optimizer.create(model, trainableWeights(model, locks), …)` and `trainStep(model, optimizer, batches, …)` are one step
 * of open_clip's training. Under Node, `train` of the package's main module does a whole run.
 *
 * @module train
 */
export { adamw, type AdamwState, type AdamwUpdate } from "./adamw.ts";
export { checkpointOf, rebaseTables, restoreOptimizer, type CheckpointFacts } from "./checkpoint.ts";
export { dropoutMask, withDropout, type DropoutShares } from "./dropout.ts";
export { trainableWeights, type Locks } from "./locks.ts";
export {
  clipNorm,
  decaysInOpenClip,
  Optimizer,
  type CollectedGradients,
  type OptimizerOptions,
} from "./optimizer.ts";
export { pytorchOrder } from "./parameter-order.ts";
export type { Parameter, StatePart, StoredMoments } from "./parameter.ts";
export {
  constantSchedule,
  cooldownSchedule,
  cosineSchedule,
  type CooldownOptions,
  type Schedule,
  type ScheduleOptions,
} from "./schedule.ts";
export { ClassifierHead, type LinearValues } from "./classifier-head.ts";
export { crossEntropy } from "./cross-entropy.ts";
export { gradientStep, type GradientStepOptions } from "./gradient-step.ts";
export { attachLora, loraModules, loraTargets, type LoraModule } from "./lora-targets.ts";
export { stepMemory, totalBytes, type StepMemory, type StepShape } from "./memory.ts";
export { LossNotFinite } from "./receivers.ts";
export { trainStep, type PairBatch, type StepOptions, type StepResult } from "./step.ts";
export { TrainedTable } from "./trained-table.ts";
export { TrainedWeight } from "./trained-weight.ts";
