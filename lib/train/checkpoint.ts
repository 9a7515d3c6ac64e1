/** Checkpoints of a run: what open_clip's training saves and resumes from. */
import { NewTensor, PythonFloat, type TorchValue, type TrainingCheckpoint } from "../checkpoint/index.ts";
import { Tuple } from "../checkpoint/pickle.ts";
import type { Clip } from "../clip/clip.ts";
import { InputError } from "../errors/input-error.ts";
import { toFloat32 } from "../tensor/dtype.ts";
import { tensorInfo, type TensorStore } from "../tensor/store.ts";
import type { Optimizer } from "./optimizer.ts";
import { pytorchOrder } from "./parameter-order.ts";
import type { Parameter, StatePart, StoredMoments } from "./parameter.ts";
import { TrainedTable } from "./trained-table.ts";

/** What a checkpoint holds besides weights and moments. */
export interface CheckpointFacts {
  /** Epochs that are done. */
  readonly epoch: number;
  /** Of the run. */
  readonly name: string;
  /** The last learning rate. */
  readonly rate: number;
  /** Clipscope's own entries, which open_clip ignores. */
  readonly own: ReadonlyMap<string, TorchValue>;
}

/**
 * A checkpoint's content, in open_clip's layout. It reads weights and moments when it is written.
 *
 * @throws InputError while it is written, for weights that are not finite
 */
export function checkpointOf(model: Clip, optimizer: Optimizer, facts: CheckpointFacts): TorchValue {
  const trained = new Map(optimizer.parameters.map((parameter) => [parameter.handle.name, parameter]));
  const declared = model.weights.declared;
  const weights = pytorchOrder(declared.keys(), model.config.text.kind === "bert").map(
    (name): [string, NewTensor] => {
      const parameter = trained.get(name);
      const read = parameter ? () => finite(parameter) : () => storedPieces(model.weights.store, name);
      return [name, new NewTensor(declared.get(name)!, read)];
    },
  );
  return new Map<string, TorchValue>([
    ["epoch", facts.epoch],
    ["name", facts.name],
    ["state_dict", new Map(weights)],
    ["optimizer", optimizerState(optimizer, facts.rate)],
    ["clipscope", new Map(facts.own)],
  ]);
}

function optimizerState({ parameters, undecayed, step, options }: Optimizer, rate: number): TorchValue {
  const states = parameters.map((parameter, number): [number, TorchValue] => {
    const { shape } = parameter.handle;
    const part = (name: StatePart): NewTensor => new NewTensor(shape, () => parameter.read(name));
    const state = new Map<string, TorchValue>([
      ["step", new NewTensor([], () => [Float32Array.of(step)])],
      ["exp_avg", part("mean")],
      ["exp_avg_sq", part("square")],
    ]);
    return [number, state];
  });
  const group = (weightDecay: number, from: number, to: number): TorchValue =>
    new Map<string, TorchValue>([
      ["weight_decay", new PythonFloat(weightDecay)],
      ["lr", new PythonFloat(rate)],
      ["betas", new Tuple([new PythonFloat(options.beta1), new PythonFloat(options.beta2)])],
      ["eps", new PythonFloat(options.epsilon)],
      ["amsgrad", false],
      ["maximize", false],
      ["foreach", null],
      ["capturable", false],
      ["differentiable", false],
      ["fused", null],
      ["decoupled_weight_decay", true],
      ["params", parameters.map((_, number) => number).slice(from, to)],
    ]);
  const groups = [group(0, 0, undecayed), group(options.weightDecay, undecayed, parameters.length)];
  return new Map<string, TorchValue>([
    ["state", new Map(states)],
    ["param_groups", groups],
  ]);
}

/** A parameter's numbers. @throws InputError if one is not finite */
async function* finite(parameter: Parameter): AsyncIterable<Float32Array> {
  for await (const piece of parameter.read("value")) {
    const bad = piece.find((value) => !Number.isFinite(value));
    if (bad !== undefined) {
      throw new InputError(
        `${parameter.handle.name} has become ${bad}; no checkpoint is written; lower --lr, or clip the gradient with --grad-clip-norm`,
      );
    }
    yield piece;
  }
}

/** In bytes; a multiple of every element's size. */
const pieceSize = 2 ** 24;

async function* storedPieces(store: TensorStore, name: string): AsyncIterable<Float32Array> {
  const { dtype, size } = tensorInfo(store, name);
  for (let at = 0; at < size; at += pieceSize) {
    yield toFloat32(dtype, await store.read(name, at, Math.min(pieceSize, size - at)));
  }
}

/**
 * Continues from a checkpoint: weights, moments and the number of steps.
 *
 * @param optimizer of a model whose weights come from the checkpoint
 * @throws InputError if the checkpoint is of a run that trains other weights
 */
export async function restoreOptimizer(optimizer: Optimizer, checkpoint: TrainingCheckpoint): Promise<void> {
  const { optimizer: state, weights } = checkpoint;
  if (state === null) return;
  if (state.parameters !== optimizer.parameters.length) {
    throw new InputError(
      `${weights.name}: its optimizer trains ${state.parameters} parameters, this run ${optimizer.parameters.length}; repeat the options that lock weights, or start from the weights alone with --pretrained`,
    );
  }
  for (const [number, parameter] of numbered(optimizer, weights)) {
    await parameter.restore(weights, momentsOf(checkpoint, number, parameter));
  }
  optimizer.resume(state.step);
}

/**
 * Reads rows of tables that are not in memory from a checkpoint that has just been written. A run that resumes from it
 * does the same; see `TrainedTable.restore`.
 */
export async function rebaseTables(optimizer: Optimizer, checkpoint: TrainingCheckpoint): Promise<void> {
  for (const [number, parameter] of numbered(optimizer, checkpoint.weights)) {
    if (!(parameter instanceof TrainedTable)) continue;
    await parameter.restore(checkpoint.weights, momentsOf(checkpoint, number, parameter));
  }
}

/** Parameters by their numbers in a checkpoint, which follow the order of the model that wrote it. */
function numbered({ parameters, undecayed }: Optimizer, { tensors }: TensorStore): [number, Parameter][] {
  const order = [...tensors.keys()];
  const sorted = (group: readonly Parameter[]): Parameter[] =>
    [...group].sort((a, b) => order.indexOf(a.handle.name) - order.indexOf(b.handle.name));
  return [...sorted(parameters.slice(0, undecayed)), ...sorted(parameters.slice(undecayed))].map(
    (parameter, number) => [number, parameter],
  );
}

/** Null if the checkpoint has none of this parameter. */
function momentsOf(
  { optimizer, weights }: TrainingCheckpoint,
  number: number,
  { handle }: Parameter,
): StoredMoments | null {
  const { tensors } = optimizer!.moments;
  const info = tensors.get(`${number}.exp_avg`);
  if (info === undefined) return null;
  if (info.shape.join() !== handle.shape.join()) {
    throw new InputError(
      `${weights.name}: the moments of ${handle.name} are [${info.shape}], expected [${handle.shape}]; the checkpoint is of another model, or of other locks`,
    );
  }
  return {
    read: async (part, first, count) => {
      const name = `${number}.${part === "mean" ? "exp_avg" : "exp_avg_sq"}`;
      return toFloat32(info.dtype, await optimizer!.moments.read(name, 4 * first, 4 * count)).slice();
    },
  };
}
