import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { promptFormat } from "../../../lib/eval/prompts/format-prompt.ts";
import { JsonValue } from "../../../lib/json/json-value.ts";
import { fixture } from "../../support/paths.ts";

describe("promptFormat", () => {
  it("gives what Python's str.format gives, and refuses what it refuses", async () => {
    const path = fixture("eval/prompts.json");
    const cases = JsonValue.parse(await readFile(path), path)
      .at("format")
      .items();
    assert.ok(cases.length > 50);
    for (const one of cases) {
      const [template, name, prompt] = [
        one.at("template").string(),
        one.at("name").string(),
        one.at("prompt"),
      ];
      if (prompt.isMissing)
        assert.throws(() => promptFormat(template, "file"), /^InputError: file: /, template);
      else assert.equal(promptFormat(template, "file")(name), prompt.string(), template);
    }
  });

  it("takes {} for the class name too", () => {
    assert.equal(promptFormat("a {}, a {}", "file")("$& {c}"), "a $& {c}, a $& {c}");
  });

  it("says what is wrong and how to write braces", () => {
    assert.throws(
      () => promptFormat("a {name}", "t.json, key x"),
      /t\.json, key x: the template "a \{name\}" has the field "\{name\}", expected "\{c\}" .* write "\{\{"/,
    );
    assert.throws(() => promptFormat("a } b", "t.json"), /has a single "}"/);
    assert.throws(() => promptFormat("{c!r}", "t.json"), /the field "\{c!r\}"/);
  });
});
