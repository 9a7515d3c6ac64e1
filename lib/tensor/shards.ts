/**
 * Sharded safetensors: an index (`*.safetensors.index.json`) that says which file holds which tensor, and the files.
 *
 * Source of the format: huggingface_hub, serialization (`weight_map`, names of files beside the index).
 */
import { InputError } from "../errors/input-error.ts";
import {
  SafetensorsFile,
  tensorInfo,
  type ByteSource,
  type FilePlace,
  type TensorInfo,
  type TensorStore,
} from "./safetensors.ts";

/** All shards of one index as a single store. Offsets in `tensors` count from the beginning of each shard. */
export class ShardedSafetensors implements TensorStore {
  readonly name: string;
  readonly tensors: ReadonlyMap<string, TensorInfo>;
  readonly metadata: Readonly<Record<string, string>>;
  readonly #shards: ReadonlyMap<string, SafetensorsFile>;
  readonly #weightMap: ReadonlyMap<string, string>;

  private constructor(name: string, weightMap: Map<string, string>, shards: Map<string, SafetensorsFile>) {
    this.name = name;
    this.#weightMap = weightMap;
    this.#shards = shards;
    this.metadata = Object.assign({}, ...[...shards.values()].map((shard) => shard.metadata)) as Record<
      string,
      string
    >;
    const tensors = new Map<string, TensorInfo>();
    for (const tensor of weightMap.keys()) tensors.set(tensor, tensorInfo(this.#shardOf(tensor), tensor));
    this.tensors = tensors;
    const stray = [...shards.values()].flatMap((shard) =>
      [...shard.tensors.keys()].filter((key) => !weightMap.has(key)),
    );
    if (stray.length > 0) {
      throw new InputError(
        `${name}: ${stray.length} tensors of its shards are not in the index; download it again`,
        stray,
      );
    }
  }

  /**
   * @param index the parsed JSON of the index
   * @param name the index file's path, for errors
   * @param open opens a file beside the index by its name
   * @throws InputError if the index is malformed, or shards and index do not hold the same tensors
   */
  static async open(
    index: unknown,
    name: string,
    open: (file: string) => Promise<ByteSource>,
  ): Promise<ShardedSafetensors> {
    const weightMap = parseWeightMap(index, name);
    const shards = new Map<string, SafetensorsFile>();
    try {
      for (const file of new Set(weightMap.values()))
        shards.set(file, await SafetensorsFile.open(await open(file)));
      return new ShardedSafetensors(name, weightMap, shards);
    } catch (error) {
      for (const shard of shards.values()) await shard.close();
      throw error;
    }
  }

  read(name: string, start?: number, length?: number, reused?: Uint8Array): Promise<Uint8Array> {
    return this.#shardOf(name).read(name, start, length, reused);
  }

  place(name: string): FilePlace | undefined {
    return this.#shardOf(name).place(name);
  }

  async close(): Promise<void> {
    for (const shard of this.#shards.values()) await shard.close();
  }

  #shardOf(tensor: string): SafetensorsFile {
    const shard = this.#shards.get(this.#weightMap.get(tensor) ?? "");
    if (!shard) throw new InputError(`${this.name}: no tensor "${tensor}" in the index`);
    return shard;
  }
}

function parseWeightMap(index: unknown, name: string): Map<string, string> {
  const weightMap: unknown = (index as { weight_map?: unknown } | null)?.weight_map;
  if (typeof weightMap !== "object" || weightMap === null || Array.isArray(weightMap)) {
    throw new InputError(
      `${name}: expected an object "weight_map" (tensor name to file name); download it again`,
    );
  }
  const map = new Map<string, string>();
  for (const [tensor, file] of Object.entries(weightMap)) {
    // A shard stands beside its index: anything else could name any file of the machine.
    if (typeof file !== "string" || !/^[^/\\]+\.safetensors$/.test(file)) {
      throw new InputError(
        `${name}: "${tensor}" is in ${JSON.stringify(file)}, expected a .safetensors file beside the index`,
      );
    }
    map.set(tensor, file);
  }
  return map;
}
