/**
 * The objects in PyTorch's pickles: storages, tensors, and the functions that create tensors.
 *
 * A tensor is a view of a storage: an offset, a shape and strides, in elements. Tensors may share a storage. Calls of
 * functions that are not in the table of constructors below become placeholders.
 *
 * Source: torch/_utils.py (_rebuild_*), torch/serialization.py (persistent_id), torch/_tensor.py.
 */
import { bytesPerElement, elementCount, type Dtype } from "../tensor/dtype.ts";
import { InputError } from "../errors/input-error.ts";
import { Global, Instance, Tuple, type PickleHost } from "./pickle.ts";

/** The bytes of tensors, which are stored in the file under `key`. */
export class Storage {
  readonly key: string;
  readonly dtype: Dtype;
  /** Size in bytes, according to the pickle. */
  readonly size: number;
  /** First byte in what is stored under `key`: in legacy files a storage may be a part of another. */
  readonly start: number;

  constructor(key: string, dtype: Dtype, size: number, start = 0) {
    this.key = key;
    this.dtype = dtype;
    this.size = size;
    this.start = start;
  }
}

/** A view of a storage. */
export class TorchTensor {
  readonly storage: Storage;
  readonly dtype: Dtype;
  readonly shape: readonly number[];
  /** Distance between neighbours along each dimension, in elements. */
  readonly strides: readonly number[];
  /** Position of the first element in the storage, in bytes. */
  readonly start: number;

  constructor(
    storage: Storage,
    dtype: Dtype,
    shape: readonly number[],
    strides: readonly number[],
    start: number,
  ) {
    this.storage = storage;
    this.dtype = dtype;
    this.shape = shape;
    this.strides = strides;
    this.start = start;
  }

  /** Size of the tensor in row-major order, in bytes. */
  get size(): number {
    return elementCount(this.shape) * bytesPerElement[this.dtype];
  }

  /** Whether its elements are in row-major order in the storage, without gaps. */
  get isContiguous(): boolean {
    let expected = 1;
    for (const [i, size] of [...this.shape.entries()].reverse()) {
      if (size === 0) return true;
      if (size !== 1 && this.strides[i] !== expected) return false;
      expected *= size;
    }
    return true;
  }
}

/** A tensor that cannot be read. It is an error only if the tensor is needed. */
export class UnreadableTensor {
  readonly reason: string;

  constructor(reason: string) {
    this.reason = reason;
  }
}

/** The dtypes of storage classes: "torch.FloatStorage", "torch.cuda.HalfStorage". */
const storageDtypes: Readonly<Record<string, Dtype>> = {
  DoubleStorage: "F64",
  FloatStorage: "F32",
  HalfStorage: "F16",
  BFloat16Storage: "BF16",
  LongStorage: "I64",
  IntStorage: "I32",
  ShortStorage: "I16",
  CharStorage: "I8",
  ByteStorage: "U8",
  BoolStorage: "BOOL",
  ComplexFloatStorage: "C64",
  UntypedStorage: "U8",
};

/** The dtypes of tensors whose storage is untyped. */
const torchDtypes: Readonly<Record<string, Dtype>> = {
  "torch.float64": "F64",
  "torch.float32": "F32",
  "torch.float16": "F16",
  "torch.bfloat16": "BF16",
  "torch.float8_e4m3fn": "F8_E4M3",
  "torch.float8_e5m2": "F8_E5M2",
  "torch.float8_e8m0fnu": "F8_E8M0",
  "torch.int64": "I64",
  "torch.int32": "I32",
  "torch.int16": "I16",
  "torch.int8": "I8",
  "torch.uint64": "U64",
  "torch.uint32": "U32",
  "torch.uint16": "U16",
  "torch.uint8": "U8",
  "torch.bool": "BOOL",
  "torch.complex64": "C64",
};

/** Resolves the names in PyTorch's pickles. */
export class TorchHost implements PickleHost {
  readonly #name: string;

  /** @param name the file's path, for errors */
  constructor(name: string) {
    this.#name = name;
  }

  call(path: string, args: readonly unknown[]): unknown {
    return constructors[path]?.(args);
  }

  /** ("storage", class, key, device, elements), in legacy files followed by (key of a part, offset, elements) or None. */
  persistent(id: unknown): unknown {
    const [kind, type, key, , elements, view] = id instanceof Tuple ? id.items : [];
    // Legacy files store the source code of modules with their classes.
    if (kind === "module") return type;
    if (
      kind !== "storage" ||
      !(type instanceof Global) ||
      (typeof key !== "string" && typeof key !== "number") ||
      !isSize(elements)
    ) {
      throw new InputError(
        `${this.#name}: expected a reference to a storage, found another one; re-save the file with torch.save`,
      );
    }
    const dtype = storageDtype(type.path);
    if (dtype === undefined) return new Instance(type.path, []);
    const element = bytesPerElement[dtype];
    if (!(view instanceof Tuple)) return new Storage(String(key), dtype, elements * element);
    const [, offset, length] = view.items;
    if (!isSize(offset) || !isSize(length)) {
      throw new InputError(
        `${this.#name}: a part of a storage lacks its offset or length; re-save the file with torch.save`,
      );
    }
    return new Storage(String(key), dtype, length * element, offset * element);
  }
}

function storageDtype(path: string): Dtype | undefined {
  const [, name = ""] = /^torch(?:\.cuda|\.storage)?\.(\w+)$/.exec(path) ?? [];
  return Object.hasOwn(storageDtypes, name) ? storageDtypes[name] : undefined;
}

type Constructor = (args: readonly unknown[]) => unknown;

/** The functions that pickles may call. The null prototype keeps names like "toString" from being found. */
const constructors: Readonly<Record<string, Constructor | undefined>> = {
  __proto__: null as never,

  "collections.OrderedDict": ([pairs]) => new Map(Array.isArray(pairs) ? pairs.flatMap(pairOf) : []),
  "builtins.set": setOf,
  "__builtin__.set": setOf,
  "builtins.frozenset": setOf,
  "__builtin__.frozenset": setOf,
  "torch.Size": ([sizes]) => (sizes instanceof Tuple ? sizes : undefined),

  // storage, offset, shape, strides
  "torch._utils._rebuild_tensor": ([storage, offset, shape, strides]) =>
    view(storage, offset, shape, strides),
  // … requires_grad, hooks, metadata
  "torch._utils._rebuild_tensor_v2": ([storage, offset, shape, strides, , , metadata]) =>
    view(storage, offset, shape, strides, undefined, metadata),
  // … requires_grad, hooks, dtype, metadata
  "torch._utils._rebuild_tensor_v3": ([storage, offset, shape, strides, , , dtype, metadata]) =>
    view(storage, offset, shape, strides, dtype, metadata),

  // Parameters are trainable tensors.
  "torch._utils._rebuild_parameter": ([tensor]) => tensorOf(tensor, "torch._utils._rebuild_parameter"),
  "torch._utils._rebuild_parameter_with_state": ([tensor]) =>
    tensorOf(tensor, "torch._utils._rebuild_parameter_with_state"),
  "torch.nn.parameter.Parameter": ([tensor]) => tensorOf(tensor, "torch.nn.parameter.Parameter"),
  "torch.nn.parameter.Buffer": ([tensor]) => tensorOf(tensor, "torch.nn.parameter.Buffer"),

  // function, class, arguments, state: a tensor with attributes, or of a subclass
  "torch._tensor._rebuild_from_type_v2": ([rebuild, type, args]) => {
    if (!(rebuild instanceof Global) || !(args instanceof Tuple)) return undefined;
    if (!(type instanceof Global) || !plainTensors.has(type.path)) return undefined;
    return tensorOf(constructors[rebuild.path]?.(args.items), rebuild.path);
  },
  // tensor, dtype, device: tensors of other devices (XLA)
  "torch._utils._rebuild_device_tensor_from_cpu_tensor": ([tensor, dtype]) =>
    tensor instanceof TorchTensor && dtype instanceof Global && torchDtypes[dtype.path] === tensor.dtype
      ? tensor
      : undefined,

  "torch._utils._rebuild_qtensor": () => new UnreadableTensor("it is quantized"),
  "torch._utils._rebuild_sparse_tensor": () => new UnreadableTensor("it is sparse"),
  "torch._utils._rebuild_sparse_csr_tensor": () => new UnreadableTensor("it is sparse"),
  "torch._utils._rebuild_nested_tensor": () => new UnreadableTensor("it is nested"),
  "torch._utils._rebuild_meta_tensor_no_storage": () =>
    new UnreadableTensor("it was saved from the meta device, without its values"),
};

const plainTensors = new Set(["torch.Tensor", "torch.nn.parameter.Parameter", "torch.nn.parameter.Buffer"]);

function setOf([items]: readonly unknown[]): unknown {
  return new Set(Array.isArray(items) ? (items as unknown[]) : []);
}

/** Python 2 pickles an ordered dictionary as a list of pairs. */
function pairOf(pair: unknown): [unknown, unknown][] {
  const items: readonly unknown[] = pair instanceof Tuple ? pair.items : Array.isArray(pair) ? pair : [];
  return items.length === 2 ? [[items[0], items[1]]] : [];
}

function tensorOf(value: unknown, path: string): TorchTensor | UnreadableTensor {
  if (value instanceof TorchTensor || value instanceof UnreadableTensor) return value;
  const origin = value instanceof Instance ? value.path : path;
  return new UnreadableTensor(`it is created by ${origin}, which is not supported`);
}

function view(
  storage: unknown,
  offset: unknown,
  shape: unknown,
  strides: unknown,
  type?: unknown,
  metadata?: unknown,
): TorchTensor | UnreadableTensor {
  if (!(storage instanceof Storage)) {
    const found = storage instanceof Instance ? storage.path : "something else";
    return new UnreadableTensor(`it needs a storage of numbers, found ${found}`);
  }
  const dtype = type instanceof Global ? torchDtypes[type.path] : storage.dtype;
  if (dtype === undefined) {
    return new UnreadableTensor(`its dtype ${(type as Global).path} does not exist in safetensors`);
  }
  if (
    !isSize(offset) ||
    !isSizes(shape) ||
    !isSizes(strides) ||
    shape.items.length !== strides.items.length
  ) {
    return new UnreadableTensor("its offset, shape and strides are not whole numbers");
  }
  if (metadata instanceof Map && [...metadata.values()].some(Boolean)) {
    return new UnreadableTensor("it is a conjugate or negative view");
  }
  const element = bytesPerElement[dtype];
  const tensor = new TorchTensor(storage, dtype, shape.items, strides.items, offset * element);
  if (!Number.isSafeInteger(tensor.size)) return new UnreadableTensor("it is too large");
  const last = tensor.shape.reduce((sum, size, i) => sum + (size - 1) * (strides.items[i] ?? 0), offset);
  if (tensor.size > 0 && (last + 1) * element > storage.size) {
    return new UnreadableTensor(
      `it ends at byte ${(last + 1) * element} of a storage of ${storage.size} bytes`,
    );
  }
  return tensor;
}

function isSize(value: unknown): value is number {
  return Number.isSafeInteger(value) && Number(value) >= 0;
}

function isSizes(value: unknown): value is Tuple & { readonly items: readonly number[] } {
  return value instanceof Tuple && value.items.every(isSize);
}
