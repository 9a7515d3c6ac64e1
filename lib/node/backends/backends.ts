/**
 * The backends under Node, best first: TensorFlow (a native build from `clipscope native`, or the npm packages if they
 * are installed), WebGPU (only if it is chosen by name), WASM, plain JavaScript.
 *
 * The npm packages of TensorFlow are optional, so nothing here imports them or their types.
 */
import { existsSync } from "node:fs";
import { createRequire } from "node:module";
import util from "node:util";

import * as tf from "@tensorflow/tfjs-core";

import {
  activateBackend,
  type BackendChoice,
  type BackendInfo,
  type BackendLoader,
  parseBackendChoice,
  quietly,
  startBackend,
} from "../../tensor/backend.ts";
import { InputError } from "../../errors/input-error.ts";
import { webgpuLoader } from "../../webgpu/index.ts";
import { guardWasmMemory, registerWasmKernels } from "../../tensor/wasm/index.ts";
import { cacheFolder, nativeBuilds } from "../native/native-build.ts";
import { loadNativeBuild, type TensorflowBinding } from "../native/native-backend.ts";
import { sumProductsInParts } from "../native/tensorflow-kernels.ts";
import { describeThreads, threadCount } from "./threads.ts";
import { nodeGpu } from "./webgpu.ts";
import { maxWasmThreads, startThreadedWasm } from "./wasm-threads.ts";

const require = createRequire(import.meta.url);

/** A loader with a title, as several loaders can provide the same backend. */
export interface NodeBackendLoader extends BackendLoader {
  readonly title: string;
}

/** WASM, available everywhere; on one thread if Node refuses more. */
export const wasmLoader: NodeBackendLoader = {
  name: "wasm",
  title: "the npm package's WebAssembly",
  async load() {
    const own = processListeners();
    const { getThreadsCount } = await import("@tensorflow/tfjs-backend-wasm");
    wasmPrepared ??= prepareWasm();
    const refusal = await wasmPrepared;
    try {
      await activateBackend("wasm");
      guardWasmMemory();
    } finally {
      removeEmscriptenHandlers(own);
    }
    const simd = (await tf.env().getAsync("WASM_HAS_SIMD_SUPPORT")) === true ? "with" : "without";
    return {
      name: "wasm",
      description: `wasm ${simd} SIMD, ${describeThreads(getThreadsCount())}${refusal}`,
    };
  },
};

let wasmPrepared: Promise<string> | undefined;
let wasmThreads: number | undefined;

/** Registers the threaded build instead of tfjs's default. Returns a remark for the description if it does not start. */
async function prepareWasm(): Promise<string> {
  const { BackendWasm, setThreadsCount } = await import("@tensorflow/tfjs-backend-wasm");
  registerWasmKernels();
  const threads = Math.min(threadCount(wasmThreads), maxWasmThreads);
  // A backend that the program has already started holds its tensors.
  if (threads === 1 || tf.getBackend() === "wasm") return "";
  try {
    const module = await startThreadedWasm(threads);
    setThreadsCount(threads);
    tf.removeBackend("wasm");
    tf.registerBackend("wasm", () => new BackendWasm(module));
    return "";
  } catch (error) {
    return ` (threads are not available: ${firstLine(error)})`;
  }
}

/** WebGPU, for GPUs without CUDA. */
export const nodeWebgpuLoader: NodeBackendLoader = {
  ...webgpuLoader(nodeGpu),
  title: "npm's webgpu",
};

/** Plain JavaScript, available everywhere, but slow. */
export const cpuLoader: NodeBackendLoader = {
  name: "cpu",
  title: "no native code",
  async load() {
    await import("@tensorflow/tfjs-backend-cpu");
    await activateBackend("cpu");
    // Suppresses an advertisement for tfjs-node.
    (tf.backend() as { firstUse?: boolean }).firstUse = false;
    return { name: "cpu", description: "cpu, plain JavaScript, 1 thread" };
  },
};

/**
 * The native build in the cache folder.
 *
 * @param cache the cache folder; default: the user's, read when the backend is loaded
 */
export function nativeLoader(cache?: string): NodeBackendLoader {
  return {
    name: "tensorflow",
    title: "native build",
    async load() {
      const folder = cache ?? cacheFolder();
      const [build] = nativeBuilds(folder);
      if (build === undefined) {
        throw new InputError(
          `no native TensorFlow build in ${folder}; make one with "clipscope native", or choose the backend wasm`,
        );
      }
      prepareTensorflow();
      const binding = await quietly(() => loadNativeBuild(build.folder));
      await activateBackend("tensorflow");
      return { name: "tensorflow", description: describeTensorflow(binding) };
    },
  };
}

/** An npm package of tfjs, if it is installed: libtensorflow 2.9.1, for GPUs with CUDA 11.2. */
export function stockLoader(name: "@tensorflow/tfjs-node" | "@tensorflow/tfjs-node-gpu"): NodeBackendLoader {
  return {
    name: "tensorflow",
    title: `npm's ${name}`,
    async load() {
      try {
        require.resolve(name);
      } catch {
        throw new InputError(
          `${name} is not installed (npm skips it if the download of libtensorflow fails); ` +
            'make a native build with "clipscope native", or choose the backend wasm',
        );
      }
      prepareTensorflow();
      try {
        await quietly(() => {
          require(name);
        });
        sumProductsInParts();
      } catch (error) {
        throw new InputError(
          `${name} is installed but does not load (${firstLine(error)}); see "clipscope doctor"`,
          [],
          { cause: error },
        );
      }
      await activateBackend("tensorflow");
      const { binding } = tf.backend() as unknown as { binding: TensorflowBinding };
      return { name: "tensorflow", description: describeTensorflow(binding) };
    },
  };
}

/** Whether NVIDIA's kernel driver is loaded. Without it, the GPU package is only an older CPU build. */
export function hasNvidiaDriver(): boolean {
  return existsSync("/dev/nvidiactl") || existsSync("/proc/driver/nvidia/version");
}

/** tensorflow on a GPU, tensorflow on the CPU, webgpu, wasm, cpu. */
export const nodeBackends: readonly NodeBackendLoader[] = [
  ...tensorflowLoaders(),
  nodeWebgpuLoader,
  wasmLoader,
  cpuLoader,
];

function tensorflowLoaders(): NodeBackendLoader[] {
  const native = nativeLoader();
  const stockGpu = stockLoader("@tensorflow/tfjs-node-gpu");
  const stockCpu = stockLoader("@tensorflow/tfjs-node");
  // A native build is newer and made on purpose; the npm package goes first only for a GPU that the build cannot use.
  const gpuBeyondNative = hasNvidiaDriver() && nativeBuilds()[0]?.manifest.gpu !== true;
  return gpuBeyondNative ? [stockGpu, native, stockCpu] : [native, stockGpu, stockCpu];
}

export interface NodeBackendOptions {
  /** Threads of wasm, fixed at its first start. CLIPSCOPE_THREADS takes precedence. Default: one per core. */
  readonly wasmThreads?: number;
}

/**
 * Starts a backend under Node.
 *
 * @param choice with "auto" (the default), CLIPSCOPE_BACKEND takes precedence if it is set
 * @throws InputError if the choice is unknown or not available
 */
export async function startNodeBackend(
  choice: BackendChoice = "auto",
  options: NodeBackendOptions = {},
): Promise<BackendInfo> {
  wasmThreads = options.wasmThreads;
  threadCount(); // reports a wrong setting; otherwise "auto" would just skip the backend
  const preset = process.env["CLIPSCOPE_BACKEND"];
  const wanted = choice === "auto" && preset ? parseBackendChoice(preset, "CLIPSCOPE_BACKEND") : choice;
  return startBackend(wanted, nodeBackends);
}

/**
 * Prepares the process for TensorFlow and its binding, before they are loaded: they read the environment only then.
 */
export function prepareTensorflow(): void {
  // 2: errors only. A variable that is already set takes precedence.
  process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "2";
  // TensorFlow's own variable takes precedence over CLIPSCOPE_THREADS.
  process.env["TF_NUM_INTRAOP_THREADS"] ??= String(threadCount());
  // tfjs-node 4.22 uses two functions that Node 22 deprecated and Node 23 removed.
  if (Number(process.versions.node.split(".")[0]) >= 22) {
    Object.assign(util, {
      isNullOrUndefined: (value: unknown) => value === null || value === undefined,
      isArray: Array.isArray,
    });
  }
}

function describeTensorflow(binding: TensorflowBinding): string {
  const threads = describeThreads(Number(process.env["TF_NUM_INTRAOP_THREADS"]));
  return `tensorflow ${binding.TF_Version} on ${binding.isUsingGpuDevice() ? "GPU" : `CPU (${threads})`}`;
}

function firstLine(error: unknown): string {
  return error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
}

const handledEvents = ["uncaughtException", "unhandledRejection"] as const;
type Listeners = Map<string, ReadonlySet<unknown>>;

function processListeners(): Listeners {
  return new Map(handledEvents.map((event) => [event, new Set(process.listeners(event as "exit"))]));
}

/**
 * Emscripten's start-up code installs handlers that rethrow every uncaught error; Node then dumps the minified source
 * and exits with status 7. This removes only handlers that were added since `before` and have Emscripten's source, as
 * the program may add others while WASM starts.
 */
function removeEmscriptenHandlers(before: Listeners): void {
  for (const event of handledEvents) {
    for (const listener of process.listeners(event as "exit")) {
      const source = String(listener);
      const emscripten = source.includes("ExitStatus") || /\{\s*throw \w+;?\s*\}$/.test(source);
      if (emscripten && before.get(event)?.has(listener) !== true) process.off(event, listener);
    }
  }
}
