/**
 * Opens a native build: the binding and tfjs-node's kernels only.
 *
 * tfjs-node's entry point also loads the union package (layers, converter, data, WebGL), but its kernels only need
 * tfjs-core. Here they get the tfjs-core of this program, so there is one engine and one kernel registry, and starting
 * takes a fifth of the time.
 */
import { createRequire } from "node:module";
import { join } from "node:path";

import * as tf from "@tensorflow/tfjs-core";

import { InputError } from "../../errors/input-error.ts";
import { buildLayout } from "./native-build.ts";
import { sumProductsInParts, useOwnOperations, type OperationsAddon } from "./tensorflow-kernels.ts";

const require = createRequire(import.meta.url);

/** The parts of tfjs-node's binding that are used here. */
export interface TensorflowBinding {
  readonly TF_Version: string;
  isUsingGpuDevice(): boolean;
}

/** The addon that redirects the process's standard error and restores it. */
interface Quiet {
  silence(): void;
  restore(): void;
}

interface KernelBackendModule {
  readonly NodeJSKernelBackend: new (binding: TensorflowBinding, packageName: string) => tf.KernelBackend;
}

/** The global symbol from which the build's replacement of "@tensorflow/tfjs" takes tfjs-core. */
export const coreHandoverName = "clipscope.tfjs-core";

/** Builds that this process opened. Opening one a second time would orphan the tensors of the first. */
const opened = new Map<string, TensorflowBinding>();

/**
 * Registers the "tensorflow" backend of a native build with tfjs, without making it the current one.
 *
 * @throws InputError if the build cannot be opened
 */
export function loadNativeBuild(folder: string): TensorflowBinding {
  const before = opened.get(folder);
  if (before) return before;
  const part = (path: string): string => join(folder, path);
  try {
    const binding = openBinding(part(buildLayout.binding), part(buildLayout.quiet));
    const globals = globalThis as Record<symbol, unknown>;
    // tfjs-core is CommonJS, so require returns the same module as this program's imports.
    globals[Symbol.for(coreHandoverName)] = require("@tensorflow/tfjs-core");
    try {
      require(part(buildLayout.kernels));
      const { NodeJSKernelBackend } = require(part(buildLayout.backend)) as KernelBackendModule;
      // The npm package may have registered itself and then failed; tfjs would keep its registration.
      // (findBackendFactory may return null, contrary to its declared type.)
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
      `the native TensorFlow build in ${folder} cannot be opened (${reason}); ` +
        'rebuild it with "clipscope native --force", or choose the wasm backend',
      [],
      { cause: error },
    );
  }
}

/** TensorFlow writes notices to file descriptor 2 while it is opened, at any log level. */
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
