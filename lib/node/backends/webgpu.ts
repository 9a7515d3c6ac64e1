/** WebGPU under Node: the npm package webgpu (Dawn), which is optional. */
import { createRequire } from "node:module";
import { InputError } from "../../errors/input-error.ts";

const require = createRequire(import.meta.url);

/** The package's exports. */
interface Dawn {
  readonly create: (flags: readonly string[]) => GPU;
  /** GPUBuffer, GPUBufferUsage and the other names that browsers have globally. */
  readonly globals: object;
}

let provided: GPU | undefined;

/**
 * The `GPU` object: the program's own `navigator.gpu`, else the package's, which is then installed as `navigator.gpu`,
 * because tfjs looks for it there.
 *
 * @throws InputError if the package is missing or does not load
 */
export async function nodeGpu(): Promise<GPU> {
  const present = (globalThis.navigator as { readonly gpu?: GPU } | undefined)?.gpu;
  return present ?? (provided ??= await createGpu());
}

/**
 * Dawn prints warnings where Linux has no Vulkan, and then finds no adapter.
 *
 * @throws InputError if the loader of Vulkan's drivers is missing
 */
function assertVulkan(): void {
  if (process.platform !== "linux") return;
  const library = "libvulkan.so.1";
  try {
    process.dlopen({ exports: {} }, library); // always fails: it is not an addon
  } catch (error) {
    if (!String(error).includes("cannot open shared object file")) return;
    throw new InputError(
      `webgpu: ${library} is missing; install it (Debian: apt-get install libvulkan1) with the GPU's driver, or choose the backend wasm`,
    );
  }
}

async function createGpu(): Promise<GPU> {
  const name = "webgpu";
  try {
    require.resolve(name);
  } catch {
    throw new InputError(
      'webgpu: the npm package webgpu is not installed; "npm install webgpu" installs it, or choose the backend wasm',
    );
  }
  assertVulkan();
  try {
    const { create, globals } = (await import(name)) as Dawn;
    Object.assign(globalThis, globals);
    const gpu = create([]);
    // Node has no `navigator` before version 21, and a getter afterwards.
    const navigator = (globalThis.navigator as object | undefined) ?? {};
    Object.defineProperty(navigator, "gpu", { value: gpu, configurable: true });
    Object.defineProperty(globalThis, "navigator", { value: navigator, configurable: true });
    return gpu;
  } catch (cause) {
    throw new InputError(
      `webgpu: the npm package webgpu does not load (${String(cause).split("\n")[0]}); choose the backend wasm`,
      [],
      { cause },
    );
  }
}
