import { strict as assert } from "node:assert";
import fc from "fast-check";
import { InputError } from "../../lib/errors/input-error.ts";
import { JsonValue } from "../../lib/json/json-value.ts";

const json = JsonValue.parse(
  JSON.stringify({
    name: "clip",
    size: 224,
    ratio: 2.5,
    on: true,
    none: null,
    list: ["a", { b: 1 }],
    "a b": { c: [] },
  }),
  "config.json",
);

function assertRefused(read: () => unknown, message: string | RegExp): void {
  assert.throws(read, (error: unknown) => {
    assert.ok(error instanceof InputError, String(error));
    if (typeof message === "string") assert.equal(error.message, message);
    else assert.match(error.message, message);
    return true;
  });
}

describe("JsonValue", () => {
  it("reads values of each type", () => {
    assert.equal(json.at("name").string(), "clip");
    assert.equal(json.at("size").integer(1), 224);
    assert.equal(json.at("ratio").number(), 2.5);
    assert.equal(json.at("on").boolean(), true);
    assert.equal(json.at("list").array().length, 2);
    assert.deepEqual(json.at("a b").object(), { c: [] });
    assert.deepEqual(
      json
        .at("list")
        .items()
        .map(({ path }) => path),
      ["list[0]", "list[1]"],
    );
    assert.deepEqual(
      json.entries().map(([key, { value }]) => [key, value]),
      Object.entries(json.object()),
    );
  });

  it("reads one of several values, with its type", () => {
    const name: "vit" | "clip" = json.at("name").oneOf("vit", "clip");
    assert.equal(name, "clip");
  });

  it("treats absent and null as missing, and then returns the fallback", () => {
    assert.ok(json.at("none").isMissing && json.at("absent").isMissing && !json.at("on").isMissing);
    assert.equal(json.at("none").or(7).integer(0), 7);
    assert.equal(json.at("absent").or("x").string(), "x");
    assert.equal(json.at("size").or(7).integer(0), 224);
  });

  it("does not treat inherited members as properties", () => {
    assert.ok(json.at("toString").isMissing && json.at("__proto__").isMissing);
    const own = JsonValue.parse('{"__proto__": {"a": 1}}', "x");
    assert.equal(own.at("__proto__").at("a").integer(0), 1);
  });

  const refusals: readonly [read: () => unknown, message: string][] = [
    [() => json.string(), 'expected a string, found an object with "name", "size", "ratio", …'],
    [() => json.at("size").string(), "expected size to be a string, found 224"],
    [() => json.at("absent").string(), "expected absent to be a string, found nothing"],
    [() => json.at("none").boolean(), "expected none to be true or false, found null"],
    [() => json.at("name").number(), 'expected name to be a number, found "clip"'],
    [() => json.at("ratio").integer(1), "expected ratio to be a whole number of at least 1, found 2.5"],
    [() => json.at("size").integer(1, 9), "expected size to be a whole number from 1 to 9, found 224"],
    [() => json.at("name").oneOf("a", "b", "c"), 'expected name to be "a", "b" or "c", found "clip"'],
    [() => json.at("name").at("x"), 'expected name to be an object, found "clip"'],
    [() => json.at("list").object(), "expected list to be an object, found an array of 2"],
    [() => json.at("on").items(), "expected on to be an array, found true"],
    [() => json.at("list").strings(), 'expected list[1] to be a string, found an object with "b"'],
    [() => json.at("list").integers(0), 'expected list[0] to be a whole number of at least 0, found "a"'],
    [() => json.at("a b").at("c").string(), 'expected ["a b"].c to be a string, found []'],
  ];
  for (const [read, message] of refusals) {
    it(`says: ${message}`, () => {
      assertRefused(read, `config.json: ${message}`);
    });
  }

  it("names only the first characters of a long text or key", () => {
    const long = "x".repeat(1e6);
    const value = JsonValue.parse(JSON.stringify({ [long]: long }), "x");
    assertRefused(() => value.at(long).number(), /^x: expected \["x{60}"…\] to be a number, found "x{60}"…$/);
  });
});

describe("JsonValue.parse", () => {
  it("refuses text that is not UTF-8 or not JSON, and says what to do", () => {
    const fix = "download it again";
    assertRefused(
      () => JsonValue.parse("{]", "a.json", { fix }),
      /^a\.json: not valid JSON \(.+\); download it again$/,
    );
    assertRefused(() => JsonValue.parse("", "a.json"), /^a\.json: not valid JSON \(.+\)$/);
    assertRefused(
      () => JsonValue.parse(Uint8Array.of(0x22, 0xff, 0x22), "a.json"),
      /not valid JSON \(.*utf-8/,
    );
    assertRefused(
      () => JsonValue.parse("5", "a.json", { fix }).string(),
      "a.json: expected a string, found 5; download it again",
    );
  });

  it("refuses a key given twice where keys must be unique", () => {
    for (const text of ['{"a":1,"a":2}', '[{"b":{"a":1,"\\u0061" :2}}]']) {
      assertRefused(
        () => JsonValue.parse(text, "a.json", { uniqueKeys: true }),
        'a.json: expected unique keys, found "a" twice in one object',
      );
    }
    const nested = '{"a":{"a":"\\"a\\":1"},"b":["a","a"]}';
    assert.ok(JsonValue.parse(nested, "a.json", { uniqueKeys: true }));
    assert.equal(JsonValue.parse('{"a":1,"a":2}', "a.json").at("a").integer(0), 2);
  });

  it("gives a value or an InputError for any text, and so does every way to read it", () => {
    const text = fc.oneof(
      fc.json(),
      fc.string({ unit: "binary" }),
      fc.json().map((whole) => whole.slice(1)),
    );
    fc.assert(
      fc.property(fc.oneof(text, fc.uint8Array()), (document) => {
        attempt(() => {
          readAll(JsonValue.parse(document, "any.json", { uniqueKeys: true }));
        });
      }),
      { numRuns: 1000 },
    );
  });

  it("limits the depth, so that recursive readers do not exhaust the stack", () => {
    const deep = `${"[".repeat(100_000)}${"]".repeat(100_000)}`;
    const descend = (value: JsonValue): void => {
      value.items().forEach(descend);
    };
    assertRefused(() => {
      descend(JsonValue.parse(deep, "deep.json"));
    }, /^deep\.json: expected (\[0\]){100} to be a value within 100 levels, found an array of 1$/);
  });
});

describe("JsonValue: unused keys", () => {
  const parse = (value: unknown): JsonValue => JsonValue.parse(JSON.stringify(value), "config.json");

  it("are refused unless they are null", () => {
    const config = parse({ width: 4, depth: 2, dropout: null });
    config.at("width").integer(1);
    assertRefused(() => {
      config.expectAllRead();
    }, "config.json: expected depth to be absent, found 2; the key is unknown or not supported");
    config.at("depth");
    config.expectAllRead();
  });

  it("are remembered when a property is read again", () => {
    const config = parse({ text: { width: 4 } });
    config.at("text").at("width").integer(1);
    config.at("text").expectAllRead();
  });

  it("may have neutral values", () => {
    parse({ a: false, b: {}, c: 7, d: null }).neutral({ a: [false], b: [1, {}], c: "any", d: [], e: [] });
    const refused: readonly [unknown, string][] = [
      [{ a: true }, "expected a to be false or absent, found true"],
      [{ b: { x: 1 } }, 'expected b to be 1, {} or absent, found an object with "x"'],
      [{ b: [] }, "expected b to be 1, {} or absent, found []"],
      [{ d: 1 }, "expected d to be absent, found 1"],
    ];
    for (const [value, message] of refused) {
      assertRefused(() => {
        parse(value).neutral({ a: [false], b: [1, {}], d: [] });
      }, `config.json: ${message}; other values are not supported`);
    }
  });
});

function attempt(read: () => unknown): void {
  try {
    read();
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    assert.match(error.message, /^any\.json: /);
    assert.ok(error.message.length < 2000);
  }
}

function readAll(value: JsonValue): void {
  const reads = [
    () => value.string(),
    () => value.number(),
    () => value.integer(0, 10),
    () => value.boolean(),
    () => value.oneOf("a", 1, true),
    () => value.strings(),
    () => value.integers(0),
    () => {
      value.neutral({ a: [{}], b: "any" });
    },
    () => {
      value.expectAllRead();
    },
    () => {
      for (const item of value.items()) readAll(item);
    },
    () => {
      for (const [key, property] of value.entries()) {
        assert.equal(value.at(key).value, property.value);
        readAll(property);
      }
    },
  ];
  reads.forEach(attempt);
}
