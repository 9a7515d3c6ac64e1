import { strict as assert } from "node:assert";
import { InputError } from "../../lib/errors/input-error.ts";
import { JsonValue } from "../../lib/json/json-value.ts";
import { encodeSafetensors } from "../../lib/tensor/safetensors.ts";
import { ShardedSafetensors } from "../../lib/tensor/shards.ts";
import { MemorySource } from "../support/memory-source.ts";

/** A shard with one-byte tensors. */
function shard(tensors: Readonly<Record<string, number>>): Uint8Array {
  return encodeSafetensors(
    Object.entries(tensors).map(([name, value]) => ({
      name,
      dtype: "U8",
      shape: [1],
      bytes: Uint8Array.of(value),
    })),
  );
}

const files: Readonly<Record<string, Uint8Array>> = {
  "one.safetensors": shard({ a: 1, b: 2 }),
  "two.safetensors": shard({ c: 3 }),
};
const weightMap = { a: "one.safetensors", b: "one.safetensors", c: "two.safetensors" };

async function open(index: unknown): Promise<{ store: ShardedSafetensors; sources: MemorySource[] }> {
  const sources: MemorySource[] = [];
  const store = await ShardedSafetensors.open(JsonValue.of(index, "index.json"), (name) => {
    const source = new MemorySource(files[name]!, name);
    sources.push(source);
    return Promise.resolve(source);
  }).catch((error: unknown) => {
    assert.ok(
      sources.every(({ closed }) => closed),
      "all files are closed",
    );
    throw error;
  });
  return { store, sources };
}

describe("ShardedSafetensors", () => {
  it("reads each tensor from its shard, and closes all of them", async () => {
    const { store, sources } = await open({ metadata: { total_size: 3 }, weight_map: weightMap });
    assert.deepEqual([...store.tensors.keys()], ["a", "b", "c"]);
    for (const [name, value] of Object.entries({ a: 1, b: 2, c: 3 })) {
      assert.deepEqual([...(await store.read(name))], [value]);
    }
    await store.close();
    assert.equal(sources.length, 2);
    assert.ok(sources.every(({ closed }) => closed));
  });

  const refused: readonly [what: string, index: unknown, message: RegExp][] = [
    ["no object", [], /^index\.json: expected an object, found \[\]$/],
    ["no map", {}, /expected weight_map to be an object, found nothing/],
    [
      "a file that is not a string",
      { weight_map: { a: 1 } },
      /expected weight_map\.a to be a string, found 1/,
    ],
    [
      "a file elsewhere",
      { weight_map: { a: "../one.safetensors" } },
      /weight_map\.a to be a \.safetensors file next to the index, found "\.\.\/one\.safetensors"/,
    ],
    [
      "a tensor that its shard lacks",
      { weight_map: { ...weightMap, d: "two.safetensors" } },
      /no tensor "d"/,
    ],
    [
      "a shard with another tensor",
      { weight_map: { a: "one.safetensors", c: "two.safetensors" } },
      /1 tensors of its shards are not in the index/,
    ],
  ];
  for (const [what, index, message] of refused) {
    it(`refuses an index with ${what}`, () =>
      assert.rejects(open(index), (error: unknown) => {
        assert.ok(error instanceof InputError, String(error));
        assert.match(error.message, message);
        return true;
      }));
  }
});
