import assert from "node:assert/strict";
import fc from "fast-check";
import { Lru } from "../../lib/serve/lru.ts";

describe("Lru", () => {
  it("forgets what was used longest ago", () => {
    const cache = new Lru<number>(2);
    cache.set("a", 1);
    cache.set("b", 2);
    assert.equal(cache.get("a"), 1);
    cache.set("c", 3);
    assert.deepEqual([cache.get("a"), cache.get("b"), cache.get("c"), cache.size], [1, undefined, 3, 2]);
  });

  it("keeps nothing with a size of 0", () => {
    const cache = new Lru<number>(0);
    cache.set("a", 1);
    assert.deepEqual([cache.get("a"), cache.size], [undefined, 0]);
  });

  it("holds the last distinct keys, whatever the order of uses", () => {
    const uses = fc.array(fc.tuple(fc.boolean(), fc.constantFrom("a", "b", "c", "d", "e")), {
      maxLength: 60,
    });
    fc.assert(
      fc.property(uses, fc.integer({ min: 1, max: 4 }), (steps, most) => {
        const cache = new Lru<string>(most);
        let model: string[] = []; // most recently used first
        for (const [isSet, key] of steps) {
          const isKnown = model.includes(key);
          if (isSet) cache.set(key, key);
          else assert.equal(cache.get(key), isKnown ? key : undefined);
          if (isSet || isKnown) model = [key, ...model.filter((one) => one !== key)].slice(0, most);
        }
        assert.equal(cache.size, model.length);
      }),
    );
  });
});
