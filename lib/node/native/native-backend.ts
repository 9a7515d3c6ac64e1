/**
 * Opens a native build: the binding and tfjs-node's kernels alone.
 *
 * tfjs-node's own entry point also loads the union package (layers, converter, data, WebGL); its kernels use
 * nothing but tfjs-core, which they get from us here. One engine, one registry, and a fifth of the start time.
 */
import { createRequire } from "node:module";
import { join } from "node:path";

import * as tf from "@tensorflow/tfjs-core";

import { InputError } from "../../errors/input-error.ts";
import { buildLayout } from "./native-build.ts";
import { sumProductsInParts, useOwnOperations, type OperationsAddon } from "./tensorflow-kernels.ts";

const require = createRequire(import.meta.url);

/** What we use of tfjs-node's binding. */
export interface TensorflowBinding {
  readonly TF_Version: string;
  isUsingGpuDevice(): boolean;
}

/** Our own addon: moves the process's standard error out of the way and back. */
interface Quiet {
  silence(): void;
  restore(): void;
}

interface KernelBackendModule {
  readonly NodeJSKernelBackend: new (binding: TensorflowBinding, packageName: string) => tf.KernelBackend;
}

/** The build's stand-in for "@tensorflow/tfjs" takes the tfjs-core that it is to use from this global symbol. */
export const coreHandoverName = "clipscope.tfjs-core";

/** Builds opened by this process: to open one again would orphan the tensors of the first time. */
const opened = new Map<string, TensorflowBinding>();

/**
 * Registers the "tensorflow" backend of a native build with tfjs; does not make it the current one.
 *
 * @throws InputError if the build does not open, with what to do.
 */
export function loadNativeBuild(folder: string): TensorflowBinding {
  const before = opened.get(folder);
  if (before) return before;
  const part = (path: string): string => join(folder, path);
  try {
    const binding = openBinding(part(buildLayout.binding), part(buildLayout.quiet));
    const globals = globalThis as Record<symbol, unknown>;
    // tfjs-core is CommonJS: require gives the very module that our imports use.
    globals[Symbol.for(coreHandoverName)] = require("@tensorflow/tfjs-core");
    try {
      require(part(buildLayout.kernels));
      const { NodeJSKernelBackend } = require(part(buildLayout.backend)) as KernelBackendModule;
      // A stock package may have registered itself and then failed; tfjs would keep the first.
      // (The declared type forgets that findBackendFactory gives null.)
      const registered = tf.findBackendFactory("tensorflow") as (() => unknown) | null;
      if (registered !== null) tf.removeBackend("tensorflow");
      tf.registerBackend("tensorflow", () => new NodeJSKernelBackend(binding, "clipscope"), 3);
      if (binding.isUsingGpuDevice()) sumProductsInParts();
      else useOwnOperations(require(part(buildLayout.operations)) as OperationsAddon);
    } finally {
      Reflect.deleteProperty(globals, Symbol.for(coreHandoverName));
    }
    opened.set(folder, binding);
    return binding;
  } catch (error) {
    const reason = error instanceof Error ? (error.message.split("\n")[0] ?? "") : String(error);
    throw new InputError(
      `the native TensorFlow build in ${folder} does not open (${reason}); ` +
        'build it again with "clipscope native --force", or use --backend wasm',
      [],
      { cause: error },
    );
  }
}

/** TensorFlow writes notices to file descriptor 2 while it is opened, whatever its log level says. */
function openBinding(path: string, quietPath: string): TensorflowBinding {
  if (process.env["TF_CPP_MIN_LOG_LEVEL"] === "0") return require(path) as TensorflowBinding;
  const quiet = require(quietPath) as Quiet;
  quiet.silence();
  try {
    return require(path) as TensorflowBinding;
  } finally {
    quiet.restore();
  }
}
