import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { classPrompts, reportNames } from "../../../lib/eval/prompts/class-prompts.ts";
import { JsonValue } from "../../../lib/json/json-value.ts";
import { packagedPrompts } from "../../../lib/node/eval/packaged-prompts.ts";
import { fixture } from "../../support/paths.ts";

const sources = { classNames: "names.json", templates: "templates.json" };

describe("classPrompts", () => {
  it("makes the prompts that CLIP_benchmark makes", async () => {
    const path = fixture("eval/prompts.json");
    const cases = JsonValue.parse(await readFile(path), path)
      .at("classifiers")
      .items();
    for (const one of cases) {
      const given = one.at("templates");
      const templates = Array.isArray(given.value)
        ? given.strings()
        : new Map(given.entries().map(([name, prompts]) => [name, prompts.strings()]));
      const found = classPrompts({ classNames: one.at("classnames").strings(), templates, sources });
      assert.deepEqual(found, one.at("prompts").value);
    }
  });

  it("refuses classes without prompts", () => {
    const of = (classNames: string[], templates: string[] | Map<string, string[]>) => () =>
      classPrompts({ classNames, templates, sources });
    assert.throws(of(["a"], new Map([["b", ["x"]]])), /templates\.json: no prompts for the class "a"/);
    assert.throws(of(["a"], new Map([["a", []]])), /no prompts for the class "a"/);
    assert.throws(of(["a"], []), /templates\.json: expected at least one template/);
    assert.throws(of([], ["{c}"]), /names\.json: expected at least one class name/);
  });
});

describe("reportNames", () => {
  it("lists repeated, blank and padded names", () => {
    assert.deepEqual(reportNames(["a", "b", "a", "", " c"]), {
      repeated: [{ name: "a", classes: [0, 2] }],
      blank: [3],
      padded: [4],
    });
  });

  it("counts what CLIP_benchmark's lists have", async () => {
    // Names that occur more than once: missile, sunglasses in English; padded ones in Arabic.
    const figures = async (language: string, key = "imagenet1k"): Promise<number[]> => {
      const { classNames } = await packagedPrompts(language);
      const { repeated, blank, padded } = reportNames(classNames.datasets.get(key)!);
      return [repeated.length, blank.length, padded.length];
    };
    assert.deepEqual(await figures("en"), [2, 0, 0]);
    assert.deepEqual(await figures("it"), [19, 0, 0]);
    assert.deepEqual(await figures("jp"), [9, 0, 0]);
    assert.deepEqual(await figures("cn"), [1, 0, 0]);
    assert.deepEqual(await figures("ar"), [4, 0, 18]);
    assert.deepEqual(await figures("en", "clevr_closest_object_distance"), [0, 1, 0]);
  });
});
