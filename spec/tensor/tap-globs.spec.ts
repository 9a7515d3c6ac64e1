import assert from "node:assert/strict";
import fc from "fast-check";
import { TapGlobs } from "../../lib/tensor/tap-globs.ts";

const taps = [
  "visual.conv1",
  "visual.transformer.resblocks.0.attn",
  "visual.transformer.resblocks.0.attn#probabilities",
  "visual.transformer.resblocks.10.attn",
  "visual",
  "text.transformer.encoder.layer.0.output",
  "logits_per_image",
];

function matching(...globs: readonly string[]): string[] {
  const patterns = new TapGlobs(globs);
  return taps.filter((tap) => patterns.matches(tap));
}

describe("TapGlobs", () => {
  it("match every module tap by default, and no value inside a module", () => {
    assert.deepEqual(
      matching(),
      taps.filter((tap) => !tap.includes("#")),
    );
  });

  it("match any characters with *, dots too, and one with ?", () => {
    assert.deepEqual(matching("visual.*.attn"), [taps[1], taps[3]]);
    assert.deepEqual(matching("*resblocks.?.attn"), [taps[1]]);
    assert.deepEqual(matching("visual"), ["visual"]);
    assert.deepEqual(matching("visual.conv1", "logits*"), ["visual.conv1", "logits_per_image"]);
  });

  it("match a name with # only if they have one", () => {
    assert.deepEqual(matching("*probabilities"), []);
    assert.deepEqual(matching("*attn#*"), [taps[2]]);
    assert.deepEqual(matching("*#*"), [taps[2]]);
  });

  it("take every other character literally", () => {
    const names = ["a.b", "axb", "a+b", "a[0]", "a0", "(a|b)", "a\\b", "^a$"];
    for (const name of names) {
      const globs = new TapGlobs([name]);
      assert.deepEqual(
        names.filter((one) => globs.matches(one)),
        [name],
      );
    }
  });

  it("name the patterns that matched nothing", () => {
    const globs = new TapGlobs(["visual.*", "nothing", "*.attn"]);
    assert.deepEqual(globs.unmatched, ["visual.*", "nothing", "*.attn"]);
    globs.matches("visual.conv1");
    assert.deepEqual(globs.unmatched, ["nothing", "*.attn"]);
    globs.matches("visual.transformer.resblocks.0.attn");
    assert.deepEqual(globs.unmatched, ["nothing"]);
  });

  it("rule out the parts that cannot match", () => {
    const may = (glob: string, ...beginnings: string[]): boolean =>
      new TapGlobs([glob]).mayMatch(...beginnings);
    assert.equal(may("visual.transformer.*", "visual"), true);
    assert.equal(may("vis*", "visual"), true);
    assert.equal(may("visual.transformer.*", "text", "image_features"), false);
    assert.equal(may("*", "text"), true);
    assert.equal(may("input.image", "visual", "text"), false);
    assert.equal(new TapGlobs([]).mayMatch("text"), true);
  });

  it("never rule out a part that has a match", () => {
    const part = fc.constantFrom("visual", "text", ".", "attn", "#", "0", "*", "?", "x");
    const glob = fc.array(part, { maxLength: 6 }).map((parts) => parts.join(""));
    const name = fc.array(fc.constantFrom("visual", "text", ".", "attn", "#", "0", "x"), {
      minLength: 1,
      maxLength: 6,
    });
    fc.assert(
      fc.property(glob, name, fc.nat(20), (pattern, parts, length) => {
        const tap = parts.join("");
        if (new TapGlobs([pattern]).matches(tap)) {
          assert.ok(new TapGlobs([pattern]).mayMatch(tap.slice(0, length)), `${pattern}: ${tap}`);
        }
      }),
      { numRuns: 2000 },
    );
  });
});
