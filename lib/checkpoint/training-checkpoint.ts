/**
 * What open_clip's training saves: `{"epoch", "name", "state_dict", "optimizer"}`, where the optimizer's state is AdamW's
 * moments by the number of each parameter. Clipscope adds `"clipscope"`, which open_clip ignores.
 *
 * Source: open_clip_train/main.py; torch/optim/optimizer.py, state_dict.
 */
import { InputError } from "../errors/input-error.ts";
import { crc32 as portableCrc32, type Crc32 } from "../tensor/crc32.ts";
import { readFloat32, type ByteSource, type TensorStore } from "../tensor/store.ts";
import { dictionaryTensors, unwrapped } from "./state-dict.ts";
import { readTorchFile } from "./torch-file.ts";
import { TorchTensor } from "./torch-objects.ts";
import { TorchStore } from "./torch-store.ts";

/** AdamW's state. */
export interface OptimizerState {
  /** The number of parameters, with or without moments. */
  readonly parameters: number;
  /** Steps that the optimizer has done. */
  readonly step: number;
  /** `PARAMETER.exp_avg` and `PARAMETER.exp_avg_sq`, by the parameter's number. */
  readonly moments: TensorStore;
}

/** An open checkpoint. Its tensors are read on demand. */
export interface TrainingCheckpoint {
  /** The weights, under the names that the model's modules have, in the order of PyTorch's modules. */
  readonly weights: TensorStore;
  /** Epochs that are done; null for weights alone. */
  readonly epoch: number | null;
  readonly optimizer: OptimizerState | null;
  /** What clipscope has added; empty for a file of open_clip. */
  readonly own: ReadonlyMap<unknown, unknown>;
  close(): Promise<void>;
}

/**
 * Opens a checkpoint of a training run, or a file of weights alone.
 *
 * @throws InputError if it is another kind of file, or damaged
 */
export async function openTrainingCheckpoint(
  source: ByteSource,
  crc32: Crc32 = portableCrc32,
): Promise<TrainingCheckpoint> {
  try {
    const file = await readTorchFile(source, crc32);
    const root: unknown = file.root;
    const weights = unwrapped(new TorchStore(source, file, dictionaryTensors(source.name, root, [])));
    const field = (name: string): unknown => (root instanceof Map ? root.get(name) : undefined);
    const [epoch, state, own] = [field("epoch"), field("optimizer"), field("clipscope")];
    return {
      weights,
      epoch: Number.isSafeInteger(epoch) ? (epoch as number) : null,
      optimizer: state instanceof Map ? await readOptimizer(source, file, state) : null,
      own: own instanceof Map ? own : new Map(),
      close: () => source.close(),
    };
  } catch (error) {
    await source.close();
    throw error;
  }
}

async function readOptimizer(
  source: ByteSource,
  file: Awaited<ReturnType<typeof readTorchFile>>,
  optimizer: ReadonlyMap<unknown, unknown>,
): Promise<OptimizerState> {
  const unsupported = new InputError(
    `${source.name}: expected the state of AdamW (exp_avg, exp_avg_sq, step), found another optimizer's; train with --opt adamw, or start from the weights alone`,
  );
  const [states, groups] = [optimizer.get("state"), optimizer.get("param_groups")];
  if (!(states instanceof Map) || !Array.isArray(groups)) throw unsupported;
  const parameters = (groups as unknown[]).flatMap((group) => {
    const numbers: unknown = group instanceof Map ? group.get("params") : null;
    if (!Array.isArray(numbers)) throw unsupported;
    return numbers as unknown[];
  }).length;
  const tensors = new Map<string, TorchTensor>();
  for (const [number, state] of states as ReadonlyMap<unknown, unknown>) {
    for (const part of ["exp_avg", "exp_avg_sq", "step"]) {
      const tensor: unknown = state instanceof Map ? state.get(part) : null;
      if (!(tensor instanceof TorchTensor)) throw unsupported;
      tensors.set(`${String(number)}.${part}`, tensor);
    }
  }
  const moments = new TorchStore(source, file, tensors);
  const steps = new Set<number>();
  for (const number of states.keys()) {
    steps.add((await readFloat32(moments, `${String(number)}.step`))[0] ?? NaN);
  }
  const [step = 0, ...others] = steps;
  if (others.length > 0) {
    throw new InputError(
      `${source.name}: expected the same number of steps for all parameters, found ${[...steps].join(", ")}; start from the weights alone`,
    );
  }
  return { parameters, step, moments };
}
