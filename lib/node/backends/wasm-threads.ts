/**
 * tfjs's threaded WASM build under Node.
 *
 * tfjs starts it in browsers alone: it expects their `Worker`, made of a `Blob`, and hands threads a script that refers
 * to variables of its bundle. So it is started here from the package's own files, in the ways that Emscripten's modules
 * provide for (https://emscripten.org/docs/api_reference/module.html), and handed to tfjs's backend class.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";

import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

const require = createRequire(import.meta.url);
const build = "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd";

/** Threads that the build makes at its start, whatever it is to use: the limit that tfjs compiled in. */
const poolSize = 8;
export const maxWasmThreads = poolSize;

/** What tfjs's backend class computes with: Emscripten's module, and names of tfjs's own for some of its functions. */
type WasmModule = BackendWasm["wasm"];

interface EmscriptenModule {
  cwrap(name: string, returns: "number" | null, takes: readonly "number"[]): (...values: number[]) => number;
}

interface Settings {
  readonly mainScriptUrlOrBlob: string;
  instantiateWasm(
    imports: WebAssembly.Imports,
    ready: (instance: WebAssembly.Instance, module: WebAssembly.Module) => void,
  ): object;
}

/**
 * Starts the module and its threads, for which the process does not wait when it ends.
 *
 * @param threads 2 … `maxWasmThreads`, the calling one included
 * @throws whatever refuses threads or shared memory
 */
export async function startThreadedWasm(threads: number): Promise<WasmModule> {
  const binary = await readFile(require.resolve(`${build}.wasm`));
  const factory = require(`${build}.js`) as (settings: Settings) => Promise<EmscriptenModule>;
  const started: Thread[] = [];
  let asked = 0;
  try {
    const module = await new Promise<EmscriptenModule>((resolve, reject) => {
      const settings: Settings = {
        mainScriptUrlOrBlob: require.resolve(`${build}.js`),
        instantiateWasm(imports, ready) {
          // tfjs takes half of it, supposing two threads to a core.
          Object.assign(imports["env"]!, { emscripten_num_logical_cores: () => 2 * threads });
          WebAssembly.instantiate(binary, imports)
            .then(({ instance, module }) => {
              ready(instance, module);
            })
            .catch(reject);
          return {};
        },
      };
      // The last of the pool are taken first.
      const nextOfPool = (): Thread | SpareThread => {
        if (asked++ <= poolSize - threads) return new SpareThread();
        const thread = new Thread();
        started.push(thread);
        return thread.once("error", reject);
      };
      withGlobalWorker(nextOfPool, () => factory(settings)).then(resolve, reject);
    });
    // From here on an error in a thread is the program's: nobody listens, and Node ends it.
    for (const thread of started) thread.removeAllListeners("error");
    return withTfjsNames(module);
  } catch (error) {
    for (const thread of started) void thread.terminate();
    throw error;
  }
}

/** A thread of the pool, running the package's own script. */
class Thread extends Worker {
  constructor() {
    const { wasmWorkerContents } = require(`${build}.worker.js`) as { wasmWorkerContents: string };
    // The package's file lost a backslash of "\n". Without this process's flags and environment, which may preload code.
    super(wasmWorkerContents.replaceAll("\n", "\\n"), { eval: true, execArgv: [], env: {} });
  }

  /** Emscripten's listener for errors would throw while we still can do with one thread. */
  override on(...[event, listener]: Parameters<Worker["on"]>): this {
    return event === "error" ? this : super.on(event, listener);
  }

  /** Emscripten keeps the process alive for a thread that runs; these run until the end. */
  override ref(): void {
    // On purpose nothing.
  }
}

/** A thread of the pool that is more than asked for: says that it is ready, and costs nothing. */
class SpareThread {
  onmessage: (event: { data: { cmd: "loaded" } }) => void = () => undefined;

  postMessage({ cmd }: { cmd: string }): void {
    if (cmd !== "load") throw new Error(`tfjs's WASM build starts more threads than it was told to`);
    queueMicrotask(() => {
      this.onmessage({ data: { cmd: "loaded" } });
    });
  }

  on(): void {
    // It has no news.
  }

  unref(): void {
    // Nothing waits for it.
  }
}

/** Emscripten makes threads of the global `Worker`, where it first puts Node's. */
function withGlobalWorker<T>(make: () => Thread | SpareThread, run: () => T): T {
  const before = Object.getOwnPropertyDescriptor(globalThis, "Worker");
  const Worker = function () {
    return make();
  };
  Object.defineProperty(globalThis, "Worker", {
    configurable: true,
    get: () => Worker,
    set: () => undefined,
  });
  try {
    return run();
  } finally {
    Reflect.deleteProperty(globalThis, "Worker");
    if (before) Object.defineProperty(globalThis, "Worker", before);
  }
}

/** The names by which tfjs's backend class calls the module. */
function withTfjsNames(module: EmscriptenModule): WasmModule {
  const tfjs: WasmModule["tfjs"] = {
    init: module.cwrap("init", null, []),
    initWithThreadsCount: module.cwrap("init_with_threads_count", null, ["number"]),
    getThreadsCount: module.cwrap("get_threads_count", "number", []),
    registerTensor: module.cwrap("register_tensor", null, ["number", "number", "number"]),
    disposeData: module.cwrap("dispose_data", null, ["number"]),
    dispose: module.cwrap("dispose", null, []),
  };
  return Object.assign(module, { tfjs });
}
