import assert from "node:assert/strict";
import { readBabelClasses, readBabelTemplates } from "../../../lib/eval/prompts/babel-imagenet.ts";

const classes = JSON.stringify({
  AF: [
    [3, 999],
    ["haai", "toiletpapier"],
  ],
  BR: [[1], ["pesk"]],
});
const templates = JSON.stringify({ AF: ["'n foto van {}"] });

describe("Babel-ImageNet", () => {
  it("has the classes and templates of a language, in capitals or not", () => {
    const expected = { indices: [3, 999], classNames: ["haai", "toiletpapier"] };
    assert.deepEqual(readBabelClasses(classes, "babel.json", "af"), expected);
    assert.deepEqual(readBabelClasses(classes, "babel.json", "AF"), expected);
    assert.deepEqual(readBabelTemplates(templates, "nllb.json", "af"), ["'n foto van {}"]);
  });

  it("lists the known languages for one without an entry", () => {
    assert.throws(() => readBabelClasses(classes, "babel.json", "xx"), {
      message: 'babel.json: no entry for the language "xx"; it has 2 languages',
      details: ["af br"],
    });
    assert.throws(() => readBabelTemplates(templates, "nllb.json", "br"), { details: ["af"] });
  });

  it("is refused with names that do not fit the classes", () => {
    const read = (entry: unknown) => () => readBabelClasses(JSON.stringify({ AF: entry }), "b.json", "af");
    assert.throws(read([[1, 2], ["a"]]), /expected a name for each class of AF, found 1 for 2/);
    assert.throws(read([[1000], ["a"]]), /expected classes from 0 to 999, found 1000/);
    assert.throws(read([[0]]), /expected \[class indices, class names\] for AF/);
    assert.throws(read([["x"], ["a"]]), /AF\[0\]\[0\] to be a whole number/);
  });
});
