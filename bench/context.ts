/** The context of the benchmark's sections, and functions that start clipscope and the peers. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Precision } from "../lib/tensor/precision.ts";
import type { Residency } from "../lib/tensor/weight.ts";
import type { ModelDirectory } from "../lib/node/models/model-directory.ts";
import { openWeights } from "../lib/node/models/weights-file.ts";
import { InputError } from "../lib/errors/input-error.ts";
import { Participant, type ParticipantCommand } from "./participant.ts";
import type { BenchOptions } from "./options.ts";
import { imageTowerModel, matrixProductModel } from "./peers/onnx.ts";
import { packageRoot } from "./result.ts";
import { removeAtExit } from "./scratch.ts";

export const matrixSize = 2048;

const compiled = (name: string): string => fileURLToPath(new URL(`peers/${name}`, import.meta.url));
const python = (name: string): string => join(packageRoot, "bench/peers", name);

export interface Peer extends ParticipantCommand {
  /** How to install it, for the warning that it is missing. */
  readonly remedy: string;
}

export interface Context {
  readonly options: BenchOptions;
  readonly model: ModelDirectory;
  /** Name → version of every program measured so far. Sections add to it. */
  readonly programs: Map<string, string>;
  /** Shows progress on a terminal. */
  readonly showStatus: (line: string) => void;
  /** Prints a warning once, such as a peer that is not installed. */
  readonly warn: (line: string) => void;
}

/** Starts clipscope on each backend. The caller stops them. */
export async function startOurs(
  { options, programs }: Context,
  directory: string,
  weights: Residency | "auto" = "auto",
  precision: Precision = "f32",
): Promise<Participant[]> {
  return startAll(
    options.backend.map(
      (backend) => () =>
        Participant.start({
          title: `clipscope, ${backend}`,
          command: process.execPath,
          args: [compiled("clipscope.js"), directory, backend, weights, precision],
        }),
    ),
    programs,
  );
}

/** Starts clipscope in training on each backend. The caller stops them. @param trained of the text tower */
export async function startTraining(
  { options, programs }: Context,
  directory: string,
  images: "features" | "pixels",
  trained: "all" | "layers",
): Promise<Participant[]> {
  return startAll(
    options.backend.map(
      (backend) => () =>
        Participant.start({
          title: `clipscope, ${backend}, ${images}`,
          command: process.execPath,
          args: [compiled("clipscope-train.js"), directory, backend, images, trained],
        }),
    ),
    programs,
  );
}

/** Starts the peers that are installed and warns about the others. The caller stops them. */
export async function startPeers(
  { options, programs, warn }: Context,
  peers: readonly Peer[],
): Promise<Participant[]> {
  if (!options.peers) return [];
  return startAll(
    peers.map((peer) => async () => {
      try {
        return await Participant.start(peer);
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        warn(`${error.message}; ${peer.remedy}`);
        return null;
      }
    }),
    programs,
  );
}

/** Starts participants; those that start as null are left out. The caller stops them. */
export async function startAll(
  starts: readonly (() => Promise<Participant | null>)[],
  programs: Map<string, string>,
): Promise<Participant[]> {
  const started: Participant[] = [];
  try {
    for (const start of starts) {
      const participant = await start();
      if (participant === null) continue;
      started.push(participant);
      programs.set(participant.name, participant.version);
    }
    return started;
  } catch (error) {
    await stopAll(started);
    throw error;
  }
}

export async function stopAll(participants: readonly Participant[]): Promise<void> {
  await Promise.all(participants.map((participant) => participant.stop()));
}

/** @param precision with "bf16" the whole model is in bfloat16, and so are its activations */
export function pytorch({ options, model }: Context, precision: "f32" | "bf16" = "f32"): Peer {
  return {
    title: `PyTorch with open_clip, ${precision}`,
    command: options.python,
    args: [python("pytorch.py"), model.path, "--precision", precision],
    remedy: 'run "sh tools/golden/environment.sh .venv" and add --python .venv/bin/python',
  };
}

export function openClipTrain({ options, model }: Context): Peer {
  return {
    title: "open_clip_train",
    command: options.python,
    args: [python("contrastive_step.py"), model.path],
    remedy: 'run "sh tools/golden/environment.sh .venv" and add --python .venv/bin/python',
  };
}

export function pillow({ options }: Context, size: number): Peer {
  return {
    title: "Pillow",
    command: options.python,
    args: [python("pillow.py"), String(size)],
    remedy: "pip install pillow numpy, and name that Python with --python",
  };
}

/**
 * onnxruntime in Node and in Python. Their model files are written to the folder of the weights, because ONNX accepts
 * external weights only from there, and are deleted at exit.
 */
export async function onnxRuntimes(context: Context): Promise<Peer[]> {
  const { options } = context;
  const files = await onnxFiles(context);
  return files === null
    ? []
    : [
        {
          title: "onnxruntime-node",
          command: process.execPath,
          args: [compiled("onnxruntime.js"), options.modules, ...files],
          remedy: "npm install onnxruntime-node in a folder, and name that folder with --modules",
        },
        pythonOnnxRuntime(options, files),
      ];
}

/** Python's onnxruntime with the image tower in dynamic int8: only Python's package quantises models. */
export async function onnxRuntimeInt8(context: Context): Promise<Peer[]> {
  const files = await onnxFiles(context);
  if (files === null) return [];
  const quantised = files[0]!.replace(/\.onnx$/, "-int8.onnx");
  for (const path of [quantised, `${quantised}.data`]) removeAtExit(path);
  return [pythonOnnxRuntime(context.options, [...files, quantised])];
}

function pythonOnnxRuntime({ python: command }: BenchOptions, args: readonly string[]): Peer {
  return {
    title: "Python's onnxruntime",
    command,
    args: [python("ort.py"), ...args],
    remedy: "pip install onnxruntime onnx, and name that Python with --python",
  };
}

/** The files of the tower and of a product, then the height and the width of images; null without peers. */
async function onnxFiles({ options, model, warn }: Context): Promise<string[] | null> {
  if (!options.peers) return null;
  const tower = join(model.path, `clipscope-bench-tower-${process.pid}.onnx`);
  const product = join(model.path, `clipscope-bench-product-${process.pid}.onnx`);
  const store = await openWeights(model.path);
  try {
    for (const path of [tower, product]) removeAtExit(path);
    await writeFile(tower, imageTowerModel(model.config, store));
    await writeFile(product, matrixProductModel(matrixSize));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    warn(error.message);
    return null;
  } finally {
    await store.close();
  }
  return [tower, product, ...model.config.vision.imageSize.map(String)];
}
