/** Whether a model's weights fit into the buffers of a WebGPU device. */
import { InputError } from "../errors/input-error.ts";
import { elementCount } from "./dtype.ts";
import type { ModelWeights } from "./model-weights.ts";
import { Weight } from "./weight.ts";

/** Limits of a device, in bytes; fields of WebGPU's GPUSupportedLimits. */
export interface GpuLimits {
  readonly maxBufferSize: number;
  /** 128 MiB unless the device was requested with more. */
  readonly maxStorageBufferBindingSize: number;
}

/**
 * Checks each weight in float32, the dtype that it is computed in. Tables are read row by row and need no buffer of their
 * size.
 *
 * Source: the WebGPU specification, section 3.6.2, limits.
 * @throws InputError that lists the weights that are too large
 */
export function assertFitsGpu(weights: Pick<ModelWeights, "handles">, limits: GpuLimits): void {
  const most = Math.min(limits.maxBufferSize, limits.maxStorageBufferBindingSize);
  const bytes = ({ shape }: Weight): number => 4 * elementCount(shape);
  const tooLarge = weights.handles
    .filter((handle) => handle instanceof Weight)
    .filter((w) => bytes(w) > most);
  if (tooLarge.length === 0) return;
  throw new InputError(
    `webgpu: ${tooLarge.length} of the model's weights are larger than this GPU's buffers of ${most} bytes; choose the backend wasm`,
    tooLarge.map((weight) => `${weight.name} [${weight.shape.join(", ")}]: ${bytes(weight)} bytes`),
  );
}
