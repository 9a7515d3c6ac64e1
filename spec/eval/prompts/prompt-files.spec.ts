import assert from "node:assert/strict";
import { readClassNameFile, readTemplateFile } from "../../../lib/eval/prompts/prompt-files.ts";

describe("prompt files", () => {
  it("hold class names by dataset, blank and repeated ones too", () => {
    const { file, datasets } = readClassNameFile('{"a": ["x", "", "x"], "b": []}', "names.json");
    assert.equal(file, "names.json");
    assert.deepEqual(
      [...datasets],
      [
        ["a", ["x", "", "x"]],
        ["b", []],
      ],
    );
  });

  it("hold templates, or prompts by class name", () => {
    const { datasets } = readTemplateFile('{"a": ["{c}"], "b": {"x": ["one", "two"]}}', "t.json");
    assert.deepEqual(datasets.get("a"), ["{c}"]);
    assert.deepEqual(datasets.get("b"), new Map([["x", ["one", "two"]]]));
  });

  it("are refused in other formats", () => {
    assert.throws(
      () => readClassNameFile('["a"]', "n.json"),
      /n\.json: expected an object, .*DATASET: \[NAME/,
    );
    assert.throws(() => readClassNameFile('{"a": [1]}', "n.json"), /expected a\[0\] to be a string, found 1/);
    assert.throws(
      () => readTemplateFile('{"a": 1}', "t.json"),
      /expected a to be an object, found 1; .*PROMPT/,
    );
    assert.throws(() => readTemplateFile('{"a": {"x": "one"}}', "t.json"), /expected a\.x to be an array/);
  });
});
