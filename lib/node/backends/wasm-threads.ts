/**
 * tfjs's threaded WASM build under Node.
 *
 * tfjs starts this build only in browsers: it expects their `Worker`, made from a `Blob`, with a script that refers to
 * variables of its bundle. So this file starts the package's files through Emscripten's own interface
 * (https://emscripten.org/docs/api_reference/module.html), and passes the module to tfjs's backend class.
 */
import { readFile } from "node:fs/promises";
import { createRequire } from "node:module";
import { Worker } from "node:worker_threads";

import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

const require = createRequire(import.meta.url);
const build = "@tensorflow/tfjs-backend-wasm/wasm-out/tfjs-backend-wasm-threaded-simd";

/** The threads that the build always creates at its start, fixed when tfjs compiled it. */
const poolSize = 8;
export const maxWasmThreads = poolSize;

/** The module that tfjs's backend class expects: Emscripten's, with tfjs's names for some functions. */
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
 * Starts the module and its threads, which do not keep the process alive.
 *
 * @param threads 2 to `maxWasmThreads`, including the calling thread
 * @throws if threads or shared memory are not available
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
          // tfjs uses half of this number, assuming two threads per core.
          Object.assign(imports["env"]!, { emscripten_num_logical_cores: () => 2 * threads });
          WebAssembly.instantiate(binary, imports)
            .then(({ instance, module }) => {
              ready(instance, module);
            })
            .catch(reject);
          return {};
        },
      };
      // tfjs uses the last threads of the pool first.
      const nextOfPool = (): Thread | SpareThread => {
        if (asked++ <= poolSize - threads) return new SpareThread();
        const thread = new Thread();
        started.push(thread);
        return thread.once("error", reject);
      };
      withGlobalWorker(nextOfPool, () => factory(settings)).then(resolve, reject);
    });
    // From here on an error in a thread ends the process, like any uncaught error.
    for (const thread of started) thread.removeAllListeners("error");
    return withTfjsNames(module);
  } catch (error) {
    for (const thread of started) void thread.terminate();
    throw error;
  }
}

/** A thread of the pool, which runs the package's script. */
class Thread extends Worker {
  constructor() {
    const { wasmWorkerContents } = require(`${build}.worker.js`) as { wasmWorkerContents: string };
    // The package lost a backslash of "\n". Without this process's flags and environment, which may preload code.
    super(wasmWorkerContents.replaceAll("\n", "\\n"), { eval: true, execArgv: [], env: {} });
  }

  /** Skips Emscripten's listener for errors, which would throw where one thread is still possible. */
  override on(...[event, listener]: Parameters<Worker["on"]>): this {
    return event === "error" ? this : super.on(event, listener);
  }

  /** Does nothing: Emscripten would keep the process alive for these threads, which never end. */
  override ref(): void {
    // See above.
  }
}

/** A placeholder for a thread of the pool beyond the requested number: it only reports that it is ready. */
class SpareThread {
  onmessage: (event: { data: { cmd: "loaded" } }) => void = () => undefined;

  postMessage({ cmd }: { cmd: string }): void {
    if (cmd !== "load") throw new Error(`tfjs's WASM build started more threads than requested`);
    queueMicrotask(() => {
      this.onmessage({ data: { cmd: "loaded" } });
    });
  }

  on(): void {
    // It sends no messages.
  }

  unref(): void {
    // It does not keep the process alive.
  }
}

/** Replaces the global `Worker` during `run`: Emscripten sets it to Node's, then creates its threads with it. */
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

/** Adds the names of functions that tfjs's backend class uses. */
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
