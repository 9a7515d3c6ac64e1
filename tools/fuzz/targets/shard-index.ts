/** Indexes of sharded safetensors, next to the shards of a fixture. */
import { InputError } from "../../../lib/errors/input-error.ts";
import { JsonValue } from "../../../lib/json/json-value.ts";
import { ShardedSafetensors } from "../../../lib/tensor/shards.ts";
import { encodeSafetensors } from "../../../lib/tensor/safetensors.ts";
import { json } from "../fixtures.ts";
import { MemoryFile } from "../memory-file.ts";
import { duplicateKey, mutateJson } from "../mutate-json.ts";
import type { CreateTarget } from "../target.ts";

const shards: Readonly<Record<string, Uint8Array>> = {
  "model-00001-of-00002.safetensors": shard("a", "b"),
  "model-00002-of-00002.safetensors": shard("c"),
};

function shard(...names: readonly string[]): Uint8Array {
  return encodeSafetensors(
    names.map((name) => ({ name, dtype: "U8", shape: [1], bytes: new Uint8Array(1) })),
  );
}

const [first, second] = Object.keys(shards);

export const create: CreateTarget = () => ({
  seeds: [
    json({ metadata: { total_size: 3 }, weight_map: { a: first, b: first, c: second } }),
    json({ weight_map: { c: second } }),
  ],
  mutations: [mutateJson, mutateJson, duplicateKey],
  async run(input) {
    const opened: MemoryFile[] = [];
    const open = async (file: string): Promise<MemoryFile> => {
      if (!Object.hasOwn(shards, file)) throw new InputError(`${file}: no such file or folder`);
      opened.push(new MemoryFile(shards[file]!, file));
      return Promise.resolve(opened.at(-1)!);
    };
    const closed = (error: unknown): never => {
      for (const file of opened) file.assertClosed();
      throw error;
    };
    const index = JsonValue.parse(input, "model.safetensors.index.json");
    const store = await ShardedSafetensors.open(index, open).catch(closed);
    for (const name of store.tensors.keys()) await store.read(name);
    return `${store.tensors.size} tensors of ${opened.length} shards`;
  },
  maxSize: 8192,
});
