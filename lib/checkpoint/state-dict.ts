/**
 * Finds the state dict in a checkpoint, with the names that the model's modules have. Checkpoints come as:
 *
 * - a plain state dict;
 * - a training checkpoint: `{"state_dict": …, "epoch": …, "optimizer": …}`, or with the key "model" or "module";
 * - names with the prefix of a wrapper: `module.` (data parallel), `model.` (exported), `_orig_mod.` (torch.compile);
 * - a TorchScript archive: a tree of modules whose tensors are attributes.
 */
import { InputError } from "../errors/input-error.ts";
import { crc32 as portableCrc32, type Crc32 } from "../tensor/crc32.ts";
import {
  tensorInfo,
  type ByteSource,
  type FilePlace,
  type TensorInfo,
  type TensorStore,
} from "../tensor/store.ts";
import { Instance } from "./pickle.ts";
import { readTorchFile, type TorchFile } from "./torch-file.ts";
import { TorchTensor, UnreadableTensor } from "./torch-objects.ts";
import { TorchStore } from "./torch-store.ts";

/** The tensors of a PyTorch file, and the entries that are not tensors. */
export interface TorchCheckpoint {
  /** Tensors under the names that the model's modules have. */
  readonly store: TensorStore;
  readonly format: TorchFile["format"];
  /** Entries of the state dict that are not tensors: "visual._extra_state (collections.OrderedDict)". */
  readonly skipped: readonly string[];
}

/**
 * Opens a PyTorch file: zip, TorchScript or legacy. Nothing in it is executed.
 *
 * @param source is closed with the store, or when opening fails
 * @param crc32 the host's implementation, if it is faster than the portable one
 * @throws InputError if it is another kind of file, is damaged, has no state dict, or has tensors that cannot be read
 */
export async function openTorchCheckpoint(
  source: ByteSource,
  crc32: Crc32 = portableCrc32,
): Promise<TorchCheckpoint> {
  try {
    const file = await readTorchFile(source, crc32);
    const skipped: string[] = [];
    const tensors =
      file.format === "torchscript"
        ? moduleTensors(source.name, file.root)
        : dictionaryTensors(source.name, file.root, skipped);
    return { store: unwrapped(new TorchStore(source, file, tensors)), format: file.format, skipped };
  } catch (error) {
    await source.close();
    throw error;
  }
}

/** Keys under which training scripts save the state dict: open_clip's first. */
const stateDictKeys = ["state_dict", "model_state_dict", "model", "module"];

/** The tensors of the state dict in a file's objects, by name. */
export function dictionaryTensors(name: string, root: unknown, skipped: string[]): Map<string, TorchTensor> {
  const dictionary = findStateDict(root);
  if (!dictionary) {
    const found = root instanceof Instance ? `an object of the class ${root.path}` : describe(root);
    throw new InputError(
      `${name}: expected a state dict (names and tensors), found ${found}; save model.state_dict() in Python`,
    );
  }
  const tensors = new Map<string, TorchTensor>();
  for (const [key, value] of dictionary) {
    if (value instanceof TorchTensor && typeof key === "string") tensors.set(key, value);
    else if (isUnreadable(value)) throw unreadable(name, String(key), value);
    else skipped.push(`${String(key)} (${describe(value)})`);
  }
  return tensors;
}

function findStateDict(root: unknown): Map<unknown, unknown> | undefined {
  if (!(root instanceof Map)) return undefined;
  for (const key of stateDictKeys) {
    const inner: unknown = root.get(key);
    const found =
      findTensors(inner) ?? (inner instanceof Map ? findTensors(inner.get("state_dict")) : undefined);
    if (found) return found;
  }
  return findTensors(root);
}

function findTensors(value: unknown): Map<unknown, unknown> | undefined {
  if (!(value instanceof Map)) return undefined;
  const values = [...value.values()];
  return values.some((one) => one instanceof TorchTensor || isUnreadable(one)) ? value : undefined;
}

/** Whether it is a tensor that cannot be read, or the result of an unknown function of a tensor. */
function isUnreadable(value: unknown): value is UnreadableTensor | Instance {
  if (value instanceof UnreadableTensor) return true;
  return (
    value instanceof Instance &&
    value.args.some((arg) => arg instanceof TorchTensor || arg instanceof UnreadableTensor)
  );
}

function unreadable(name: string, key: string, value: UnreadableTensor | Instance): InputError {
  const reason =
    value instanceof Instance ? `it is created by ${value.path}, which is not supported` : value.reason;
  return new InputError(`${name}: the tensor "${key}" cannot be read: ${reason}`);
}

/** A limit for the recursion; real modules are nested about ten levels deep. */
const maxDepth = 100;

/** The tensors of a TorchScript module and its children, under the names that state_dict() would give. */
function moduleTensors(name: string, root: unknown): Map<string, TorchTensor> {
  const tensors = new Map<string, TorchTensor>();
  const visited = new Set<Instance>();
  const visit = (module: Instance, path: string, depth: number): void => {
    if (depth > maxDepth)
      throw new InputError(`${name}: modules are nested more than ${maxDepth} levels deep`);
    if (!(module.state instanceof Map) || visited.has(module)) return;
    visited.add(module);
    for (const [key, value] of module.state as Map<unknown, unknown>) {
      const child = path === "" ? String(key) : `${path}.${String(key)}`;
      if (value instanceof TorchTensor) tensors.set(child, value);
      else if (isUnreadable(value)) throw unreadable(name, child, value);
      else if (value instanceof Instance) visit(value, child, depth + 1);
    }
  };
  if (root instanceof Instance) visit(root, "", 0);
  if (tensors.size === 0) throw new InputError(`${name}: a TorchScript archive without tensors`);
  return tensors;
}

/** What a value is, in a few words. */
function describe(value: unknown): string {
  if (value === null) return "None";
  if (value instanceof Instance) return value.path;
  if (value instanceof Map) return "a dictionary without tensors";
  if (value instanceof TorchTensor) return "a single tensor";
  if (Array.isArray(value)) return "a list";
  return typeof value === "object" ? value.constructor.name : typeof value;
}

/** The prefixes of wrappers, in front of the image tower's name. */
const wrapperPrefix = /^((?:module|model|_orig_mod)\.)+(?=visual\.)/;

/**
 * Removes the prefixes of wrappers from a store's names. Names without the prefix stay unchanged.
 *
 * @returns the store itself if no name changes
 * @throws InputError if two names become the same
 */
export function unwrapped(store: TensorStore): TensorStore {
  const names = [...store.tensors.keys()];
  const isBare = names.some((name) => name.startsWith("visual."));
  const prefix = isBare ? "" : (names.map((name) => wrapperPrefix.exec(name)?.[0]).find(Boolean) ?? "");
  const renamed = new Map<string, string>();
  for (const name of names) {
    const bare = (name.startsWith(prefix) ? name.slice(prefix.length) : name).replaceAll("_orig_mod.", "");
    const other = renamed.get(bare);
    if (other !== undefined) {
      throw new InputError(
        `${store.name}: expected one model, found "${other}" and "${name}", which are both "${bare}"`,
      );
    }
    renamed.set(bare, name);
  }
  return names.every((name) => renamed.has(name)) ? store : new RenamedStore(store, renamed);
}

class RenamedStore implements TensorStore {
  readonly name: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #store: TensorStore;
  readonly #names: ReadonlyMap<string, string>;

  /** @param names maps new names to old ones */
  constructor(store: TensorStore, names: ReadonlyMap<string, string>) {
    this.name = store.name;
    this.metadata = store.metadata;
    this.tensors = new Map([...names].map(([bare, name]) => [bare, tensorInfo(store, name)]));
    this.#store = store;
    this.#names = names;
  }

  read(name: string, start?: number, length?: number, reused?: Uint8Array): Promise<Uint8Array> {
    tensorInfo(this, name);
    return this.#store.read(this.#names.get(name)!, start, length, reused);
  }

  place(name: string): FilePlace | undefined {
    return this.#store.place?.(this.#names.get(name)!);
  }

  close(): Promise<void> {
    return this.#store.close();
  }
}
