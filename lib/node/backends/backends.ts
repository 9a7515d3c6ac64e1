/**
 * Node's backends, best first: TensorFlow (a native build of `clipscope native`, or the stock npm packages where
 * they are installed), WASM, plain JavaScript.
 *
 * The stock packages are optional and may be absent, so nothing here imports them or their types.
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
import { registerWasmKernels } from "../../tensor/wasm/index.ts";
import { cacheFolder, nativeBuilds } from "../native/native-build.ts";
import { loadNativeBuild, type TensorflowBinding } from "../native/native-backend.ts";
import { sumProductsInParts } from "../native/tensorflow-kernels.ts";
import { describeThreads, threadCount } from "./threads.ts";
import { maxWasmThreads, startThreadedWasm } from "./wasm-threads.ts";

const require = createRequire(import.meta.url);

/** A loader with a name for people that tells loaders of one backend apart. */
export interface NodeBackendLoader extends BackendLoader {
  readonly title: string;
}

/** WASM: everywhere; on one thread where Node refuses more. */
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

/** Puts the threaded build in the place of tfjs's own choice, if it starts; a remark for people if it does not. */
async function prepareWasm(): Promise<string> {
  const { BackendWasm, setThreadsCount } = await import("@tensorflow/tfjs-backend-wasm");
  registerWasmKernels();
  const threads = Math.min(threadCount(wasmThreads), maxWasmThreads);
  // A backend that somebody else started holds their tensors.
  if (threads === 1 || tf.getBackend() === "wasm") return "";
  try {
    const module = await startThreadedWasm(threads);
    setThreadsCount(threads);
    tf.removeBackend("wasm");
    tf.registerBackend("wasm", () => new BackendWasm(module));
    return "";
  } catch (error) {
    return ` (no more: ${firstLine(error)})`;
  }
}

/** Plain JavaScript: everywhere, slowly. */
export const cpuLoader: NodeBackendLoader = {
  name: "cpu",
  title: "no native code",
  async load() {
    await import("@tensorflow/tfjs-backend-cpu");
    await activateBackend("cpu");
    // The first write greets with an advertisement for tfjs-node.
    (tf.backend() as { firstUse?: boolean }).firstUse = false;
    return { name: "cpu", description: "cpu, plain JavaScript, 1 thread" };
  },
};

/**
 * The native build in the cache folder.
 *
 * @param cache looked into when the backend is loaded, for a folder other than the person's own
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
          `there is no native TensorFlow build in ${folder}; make one with "clipscope native", or use --backend wasm`,
        );
      }
      prepareTensorflow();
      const binding = await quietly(() => loadNativeBuild(build.folder));
      await activateBackend("tensorflow");
      return { name: "tensorflow", description: describeTensorflow(binding) };
    },
  };
}

/** A stock package of tfjs's makers, if npm could install it: libtensorflow 2.9.1, for GPUs CUDA 11.2. */
export function stockLoader(name: "@tensorflow/tfjs-node" | "@tensorflow/tfjs-node-gpu"): NodeBackendLoader {
  return {
    name: "tensorflow",
    title: `npm's ${name}`,
    async load() {
      try {
        require.resolve(name);
      } catch {
        throw new InputError(
          `${name} is not installed (npm leaves it out where it cannot fetch libtensorflow); ` +
            'make a build of your own with "clipscope native", or use --backend wasm',
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

/** Whether NVIDIA's kernel driver is there. The GPU package without it would only be an older CPU build. */
export function hasNvidiaDriver(): boolean {
  return existsSync("/dev/nvidiactl") || existsSync("/proc/driver/nvidia/version");
}

/** tensorflow on a GPU, tensorflow on the CPU, wasm, cpu. */
export const nodeBackends: readonly NodeBackendLoader[] = [...tensorflowLoaders(), wasmLoader, cpuLoader];

function tensorflowLoaders(): NodeBackendLoader[] {
  const native = nativeLoader();
  const stockGpu = stockLoader("@tensorflow/tfjs-node-gpu");
  const stockCpu = stockLoader("@tensorflow/tfjs-node");
  // A native build is newer and somebody made it on purpose: only a GPU that it cannot use comes before it.
  const gpuBeyondNative = hasNvidiaDriver() && nativeBuilds()[0]?.manifest.gpu !== true;
  return gpuBeyondNative ? [stockGpu, native, stockCpu] : [native, stockGpu, stockCpu];
}

export interface NodeBackendOptions {
  /** Threads of wasm, unless CLIPSCOPE_THREADS says; they stay as they are at its first start. Default: one a core. */
  readonly wasmThreads?: number;
}

/**
 * Starts a backend under Node.
 *
 * @param choice "auto" (the default) gives way to the environment's CLIPSCOPE_BACKEND, if that is set
 * @throws InputError if the choice is unknown or cannot run here.
 */
export async function startNodeBackend(
  choice: BackendChoice = "auto",
  options: NodeBackendOptions = {},
): Promise<BackendInfo> {
  wasmThreads = options.wasmThreads;
  threadCount(); // what is wrong there must not make "auto" pass over a backend
  const preset = process.env["CLIPSCOPE_BACKEND"];
  const wanted = choice === "auto" && preset ? parseBackendChoice(preset, "CLIPSCOPE_BACKEND") : choice;
  return startBackend(wanted, nodeBackends);
}

/**
 * What TensorFlow and its binding need of the process before they are opened: the libraries read the environment once,
 * when they start.
 */
export function prepareTensorflow(): void {
  // 2: errors only. Whoever sets it (the command line's --debug sets 0) knows better.
  process.env["TF_CPP_MIN_LOG_LEVEL"] ??= "2";
  // TensorFlow's own variable is the stronger one.
  process.env["TF_NUM_INTRAOP_THREADS"] ??= String(threadCount());
  // tfjs-node 4.22 calls two helpers that Node 23 removed, and that Node 22 warns about.
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
 * Emscripten's start-up code installs handlers that throw every uncaught error again from inside the handler:
 * Node then dumps the minified source and exits with status 7. Takes off just these: added since `before`, and
 * with Emscripten's text, for others may add theirs while WASM starts.
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
