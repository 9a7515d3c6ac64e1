import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { docOf, parseTapDocs } from "../../lib/trace/tap-docs.ts";
import { packageRoot } from "../support/paths.ts";

describe("parseTapDocs", () => {
  it("reads names, values, shapes, weights, files and papers of a table", () => {
    const docs = parseTapDocs(
      [
        "## Text tower: `text`",
        "",
        "Then N layers, with the prefix `text.layer.{i}`.",
        "",
        "| tap | value | shape | weights | file |",
        "| --- | ----- | ----- | ------- | ---- |",
        "| `.self.query`, `.key` | linear | [B, L, D] | `weight` [D, D] | `query.ts` ([arXiv 1](https://arxiv.org/abs/1)) |",
        "| `.LayerNorm`, the prefix itself | LayerNorm | [B, L, D] | | `lib/nn/layer-norm.ts`; ViT eq. 2 |",
      ].join("\n"),
    );
    assert.deepEqual(docs, [
      {
        names: ["text.layer.{i}.self.query", "text.layer.{i}.self.key"],
        value: "linear",
        shape: "[B, L, D]",
        weights: "weight [D, D]",
        files: ["lib/clip/text/xlm-roberta/query.ts"],
        papers: [{ text: "arXiv 1", url: "https://arxiv.org/abs/1" }],
      },
      {
        names: ["text.layer.{i}.LayerNorm", "text.layer.{i}"],
        value: "LayerNorm",
        shape: "[B, L, D]",
        weights: "",
        files: ["lib/nn/layer-norm.ts"],
        papers: [{ text: "ViT eq. 2 (arXiv 2010.11929)", url: "https://arxiv.org/abs/2010.11929" }],
      },
    ]);
  });

  it("ignores other tables", () => {
    assert.deepEqual(parseTapDocs("| letter | meaning |\n| - | - |\n| B | batch |\n"), []);
  });
});

describe("docOf", () => {
  const docs = parseTapDocs(readFileSync(`${packageRoot}docs/architecture.md`, "utf8"));

  it("finds a row for every tap of the stored pass, whose files exist", () => {
    const { image, textPass, joint } = JSON.parse(
      readFileSync(`${packageRoot}web/public/first-pass.json`, "utf8"),
    ) as Record<"image" | "textPass" | "joint", { taps: { name: string; shape: number[] }[] }>;
    const taps = [image, textPass, joint].flatMap(({ taps }) => taps);
    assert.ok(taps.length > 90);
    for (const { name, shape } of taps) {
      const doc = docOf(name, docs);
      assert.ok(doc, `docs/architecture.md has no row for ${name}`);
      const axes = /^\[(.*)\]$/.exec(doc.shape)?.[1]?.split(",") ?? [];
      assert.equal(axes.length, shape.length, `${name}: ${doc.shape} for [${shape.join(", ")}]`);
      for (const file of doc.files)
        readFileSync(`${packageRoot}${file === "lib/text/" ? "lib/text/tokenizer.ts" : file}`);
    }
  });

  it("has no row for names that are not taps", () => {
    assert.equal(docOf("visual.transformer.resblocks.0.nothing", docs), undefined);
  });
});
