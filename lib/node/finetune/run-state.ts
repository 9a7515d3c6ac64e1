/**
 * The state of a fine-tuning run after an epoch, so that it continues bit for bit, and the weights of its best epoch.
 *
 * Both are safetensors of the trained weights alone, in float32: NAME, and in a state NAME#mean and NAME#square (AdamW's
 * moments). The metadata hold the rest as JSON.
 */
import { JsonValue } from "../../json/json-value.ts";
import { InputError } from "../../errors/input-error.ts";
import { SafetensorsFile } from "../../tensor/safetensors.ts";
import { readFloat32 } from "../../tensor/store.ts";
import { TorchRandom } from "../../tensor/torch-random.ts";
import type { Optimizer } from "../../train/optimizer.ts";
import type { Parameter, StatePart } from "../../train/parameter.ts";
import { exists } from "../files/exists.ts";
import { FileSource } from "../files/file-source.ts";
import { writeTensors, type TensorInPieces } from "../files/write-tensors.ts";

/** What is known of an epoch's weights. */
export interface EpochFigures {
  readonly epoch: number;
  /** On the validation images; null without them. */
  readonly accuracy: number | null;
  readonly loss: number | null;
}

export interface RunProgress {
  /** Epochs that are done. */
  readonly epoch: number;
  readonly random: TorchRandom;
  readonly best: EpochFigures | null;
}

/** @throws InputError if the disk is full, or weights are not finite; the previous state stays */
export async function saveState(path: string, optimizer: Optimizer, progress: RunProgress): Promise<void> {
  const { epoch, random, best } = progress;
  const { parameters, step } = optimizer;
  const tensors = parameters.flatMap((parameter) => [
    part(parameter, "value"),
    part(parameter, "mean"),
    part(parameter, "square"),
  ]);
  const state = { epoch, step, random: random.state, best };
  await writeTensors(path, tensors, { state: JSON.stringify(state) });
}

/** The trained weights alone. @throws InputError as `saveState` */
export async function saveWeights(path: string, { parameters }: Optimizer): Promise<void> {
  await writeTensors(
    path,
    parameters.map((parameter) => part(parameter, "value")),
    {},
  );
}

/** Continues from a state. @returns null if there is none @throws InputError if it is damaged */
export async function restoreState(path: string, optimizer: Optimizer): Promise<RunProgress | null> {
  if (!(await exists(path))) return null;
  const file = await SafetensorsFile.open(await FileSource.open(path));
  try {
    for (const parameter of optimizer.parameters) {
      await parameter.restore(file, {
        read: (which) => readFloat32(file, `${parameter.handle.name}#${which}`),
      });
    }
    const state = JsonValue.parse(file.metadata["state"] ?? "{}", `${path}: metadata "state"`);
    const random = TorchRandom.restore(state.at("random").integers(0));
    if (random === null) throw state.at("random").error("the words of a random number generator");
    optimizer.resume(state.at("step").integer(0));
    const best = state.at("best").value as EpochFigures | null;
    return { epoch: state.at("epoch").integer(0), random, best };
  } finally {
    await file.close();
  }
}

/** The weights that `saveWeights` wrote. */
export async function readWeights(path: string): Promise<Map<string, Float32Array>> {
  const file = await SafetensorsFile.open(await FileSource.open(path));
  try {
    const weights = new Map<string, Float32Array>();
    for (const name of file.tensors.keys()) weights.set(name, await readFloat32(file, name));
    return weights;
  } finally {
    await file.close();
  }
}

function part(parameter: Parameter, which: StatePart): TensorInPieces {
  const { name, shape } = parameter.handle;
  const pieces = async function* (): AsyncGenerator<Uint8Array> {
    for await (const values of parameter.read(which)) {
      if (!values.every(Number.isFinite)) {
        throw new InputError(
          `${name} is no longer finite; nothing is saved of this epoch; lower --lr, or clip the gradient with --grad-clip-norm`,
        );
      }
      yield new Uint8Array(values.buffer, values.byteOffset, values.byteLength);
    }
  };
  return { name: which === "value" ? name : `${name}#${which}`, dtype: "F32", shape, pieces };
}
