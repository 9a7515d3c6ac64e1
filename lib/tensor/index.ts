/**
 * Tensors without networks: safetensors files, dtypes, weights, taps and comparison. Runs in browsers too.
 *
 * @module tensor
 */
export { InputError } from "../errors/input-error.ts";
export { backendNames, type BackendChoice, type BackendInfo, type BackendName } from "./backend.ts";
export { BytesSource } from "./bytes-source.ts";
export { compare, type Comparison } from "./compare.ts";
export { crc32, type Crc32 } from "./crc32.ts";
export { diffStores, type DifferenceKind, type TensorDifference } from "./diff.ts";
export { bytesPerElement, elementCount, toFloat32, toIntegers, weightDtypes, type Dtype } from "./dtype.ts";
export { encodeNpy } from "./npy.ts";
export { roundFloats, type FloatDtype, type Rounded } from "./rounding.ts";
export { encodeSafetensors, SafetensorsFile, type TensorSpec } from "./safetensors.ts";
export {
  readFloat32,
  readIntegers,
  type ByteSource,
  type FilePlace,
  type SyncByteSource,
  type TensorInfo,
  type TensorStore,
} from "./store.ts";
export { ShardedSafetensors } from "./shards.ts";
export { statistics, tensorStatistics, type Statistics, type TensorStatistics } from "./statistics.ts";
export { SyntheticStore } from "./synthetic.ts";
export { readTap, withTaps, type Patch, type TapSink } from "./taps.ts";
export { guardWasmMemory, registerWasmKernels } from "./wasm/index.ts";
export { ModelWeights, WeightScope } from "./model-weights.ts";
export { assertFitsGpu, type GpuLimits } from "./gpu-limits.ts";
export { TapGlobs } from "./tap-globs.ts";
export { RowTable } from "./row-table.ts";
export { Weight, type Layout, type Residency } from "./weight.ts";
export { disposing } from "./disposing.ts";
