import assert from "node:assert/strict";
import { TapGlobs } from "../../lib/tensor/tap-globs.ts";

describe("TapGlobs", () => {
  it("match whole names: * any characters, dots included, ? one", () => {
    const globs = new TapGlobs(["visual.*.mlp", "*layer.?"]);
    const names = [
      "visual.a.b.mlp",
      "visual.mlp",
      "text.layer.1",
      "text.layer.12",
      "text.layer.1.mlp",
      "xvisual.a.mlp",
    ];
    assert.deepEqual(
      names.filter((name) => globs.matches(name)),
      ["visual.a.b.mlp", "text.layer.1"],
    );
  });

  it("match a name with # only if they contain one", () => {
    assert.deepEqual(
      ["a", "a#b"].map((name) => [new TapGlobs([]).matches(name), new TapGlobs(["*#*"]).matches(name)]),
      [
        [true, false],
        [false, true],
      ],
    );
  });

  it("know which of them have matched nothing, and which parts of a model they need", () => {
    const globs = new TapGlobs(["visual.proj", "te?t"]);
    assert.ok(globs.matches("text"));
    assert.deepEqual(globs.unmatched, ["visual.proj"]);
    assert.ok(globs.mayMatch("visual"));
    assert.ok(globs.mayMatch("text.transformer"));
    assert.ok(!globs.mayMatch("logit_scale"));
  });
});
