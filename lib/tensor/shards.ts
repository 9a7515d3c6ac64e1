/**
 * Sharded safetensors: an index (`*.safetensors.index.json`) that maps tensors to files, and the files next to it.
 *
 * Source: huggingface_hub/serialization/_base.py (`weight_map`).
 */
import { InputError } from "../errors/input-error.ts";
import type { JsonValue } from "../json/json-value.ts";
import { SafetensorsFile } from "./safetensors.ts";
import { tensorInfo, type ByteSource, type FilePlace, type TensorInfo, type TensorStore } from "./store.ts";

/** The shards of an index as one store. Offsets in `tensors` are relative to each tensor's own shard. */
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
        `${name}: ${stray.length} tensors of its shards are not in the index; download the index and the shards again`,
        stray,
      );
    }
  }

  /**
   * @param index the index file
   * @param open opens a file next to the index by its name
   * @throws InputError if the index is malformed, or shards and index do not hold the same tensors
   */
  static async open(
    index: JsonValue,
    open: (file: string) => Promise<ByteSource>,
  ): Promise<ShardedSafetensors> {
    const weightMap = readWeightMap(index);
    const shards = new Map<string, SafetensorsFile>();
    try {
      for (const file of new Set(weightMap.values()))
        shards.set(file, await SafetensorsFile.open(await open(file)));
      return new ShardedSafetensors(index.where, weightMap, shards);
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

/** Which file holds which tensor. @throws InputError if the index is malformed */
export function readWeightMap(index: JsonValue): Map<string, string> {
  return new Map(
    index
      .at("weight_map")
      .entries()
      .map(([tensor, file]) => {
        const name = file.string();
        // Not a path: it could name any file on this machine.
        if (!/^[^/\\]+\.safetensors$/.test(name)) throw file.error("a .safetensors file next to the index");
        return [tensor, name];
      }),
  );
}
