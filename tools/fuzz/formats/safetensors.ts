/** Changes of safetensors files: of the JSON header, with a length that fits, and of the tensors. */
import { encodeSafetensors } from "../../../lib/tensor/safetensors.ts";
import { elementCount, bytesPerElement, type Dtype } from "../../../lib/tensor/dtype.ts";
import type { Random } from "../../demo-model/random.ts";
import { concat, mutateBytes } from "../mutate-bytes.ts";
import { duplicateKey, mutateJson } from "../mutate-json.ts";
import type { Mutation } from "../target.ts";

export const safetensorsMutations: readonly Mutation[] = [
  inHeader(mutateJson),
  inHeader(mutateJson),
  inHeader(duplicateKey),
  inHeader(mutateBytes),
  otherTensors,
  otherNumbers,
];

/** Applies a mutation to the header. */
function inHeader(mutate: Mutation): Mutation {
  return (input, random, other) => {
    const parts = split(input);
    if (parts === undefined) return mutateBytes(input, random, other);
    return join(mutate(parts.header, random, split(other)?.header ?? parts.header), parts.data);
  };
}

function split(file: Uint8Array): { readonly header: Uint8Array; readonly data: Uint8Array } | undefined {
  if (file.length < 8) return undefined;
  const size = Number(new DataView(file.buffer, file.byteOffset).getBigUint64(0, true));
  if (size > file.length - 8) return undefined;
  return { header: file.subarray(8, 8 + size), data: file.subarray(8 + size) };
}

function join(header: Uint8Array, data: Uint8Array): Uint8Array {
  const prefix = new Uint8Array(8);
  new DataView(prefix.buffer).setBigUint64(0, BigInt(header.length), true);
  return concat(prefix, header, data);
}

interface Entry {
  readonly dtype: Dtype;
  readonly shape: readonly number[];
}

/** A valid file with another shape or dtype of a tensor, or without it. */
function otherTensors(input: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  try {
    const { header } = split(input)!;
    const { __metadata__, ...entries } = JSON.parse(new TextDecoder().decode(header)) as Record<
      string,
      Entry
    >;
    const names = Object.keys(entries);
    const chosen = random.pick(names);
    const tensors = names.map((name) => {
      const { dtype, shape } = entries[name]!;
      return name === chosen ? { name, ...otherTensor(dtype, shape, random) } : { name, dtype, shape };
    });
    const kept = random.chance(0.2) ? tensors.filter(({ name }) => name !== chosen) : tensors;
    const withBytes = kept.map((tensor) => {
      const size = elementCount(tensor.shape) * bytesPerElement[tensor.dtype];
      return { ...tensor, bytes: new Uint8Array(Math.min(size, 10_000)).fill(random.pick([0, 1, 64, 127])) };
    });
    return encodeSafetensors(withBytes, __metadata__ as unknown as Record<string, string> | undefined);
  } catch {
    return mutateBytes(input, random, other);
  }
}

function otherTensor(dtype: Dtype, shape: readonly number[], random: Random): Entry {
  if (random.chance(0.5)) return { dtype: random.pick(Object.keys(bytesPerElement) as Dtype[]), shape };
  const at = random.below(shape.length + 1);
  if (random.chance(0.3)) return { dtype, shape: shape.toSpliced(at, random.below(2), random.below(4)) };
  return {
    dtype,
    shape: shape.map((size, i) => (i === at ? random.pick([0, 1, size + 1, size - 1, 2 * size]) : size)),
  };
}

/** Numbers at the borders: NaN, infinity, negative and large integers. */
function otherNumbers(input: Uint8Array, random: Random, other: Uint8Array): Uint8Array {
  const parts = split(input);
  if (parts === undefined || parts.data.length < 8) return mutateBytes(input, random, other);
  const data = parts.data.slice();
  const view = new DataView(data.buffer);
  const at = random.below((data.length >> 2) - 1) * 4;
  if (random.chance(0.5)) view.setFloat32(at, random.pick([NaN, Infinity, -Infinity, 1e38, 1e-45, -0]), true);
  else view.setBigInt64(at, random.pick([-1n, 0n, 1n, 2n ** 31n, 2n ** 53n, -(2n ** 63n), 999999999n]), true);
  return join(parts.header, data);
}
