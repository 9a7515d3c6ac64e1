/**
 * Each module alone, on the input that it had in OpenCLIP: a fault shows where it is made, and nowhere else.
 */
import { strict as assert } from "node:assert";
import { add, concat, mul, reshape, slice, tensor, tensor2d, tidy, transpose } from "@tensorflow/tfjs-core";
import type { Rank, Tensor, Tensor2D, Tensor3D, Tensor4D } from "@tensorflow/tfjs-core";
import type { Clip } from "../../lib/clip/clip.ts";
import { ClsPooler } from "../../lib/clip/text/pooler.ts";
import { MlpProjection } from "../../lib/clip/text/projection.ts";
import { PlainTextTower } from "../../lib/clip/text/plain-text-tower.ts";
import type { RobertaTextTower } from "../../lib/clip/text/roberta-text-tower.ts";
import type { Transformer } from "../../lib/clip/vision/transformer.ts";
import type { WeightScope } from "../../lib/tensor/weights.ts";
import { assertClose, loadTiny, readGolden, tinyModels, valuesOf, type Golden } from "../support/golden.ts";
import { fixture } from "../support/paths.ts";

/** A module and how to run it on golden inputs. */
interface Case {
  readonly module: { readonly scope: WeightScope };
  readonly run: () => Tensor | Promise<Tensor>;
  /** Into PyTorch's layout. */
  readonly present?: (output: Tensor) => Tensor;
}

for (const name of tinyModels) {
  describe(`each module alone: ${name}`, () => {
    let golden: Golden;
    let model: Clip;

    before(async () => {
      golden = await readGolden(fixture(`tiny/${name}/golden.safetensors`));
      model = await loadTiny(name);
      await Promise.all([model.visual.scope.load(), model.text.scope.load()]); // resident: they stay
    });

    after(() => model.dispose());

    it("agrees with OpenCLIP's module of that name, whatever came before", async () => {
      const done = new Set<string>();
      for (const { module, run, present } of [...visionCases(), ...textCases()]) {
        const { path } = module.scope;
        const expected = golden.taps.get(path);
        assert.ok(expected, `the golden has no ${path}`);
        const output = await run();
        const shown = present ? present(output) : output;
        assertClose(path, valuesOf(shown), expected, golden.isToken);
        done.add(path);
      }
      // Every tap of the golden but identities and what lies outside modules has had its turn.
      const rest = [...golden.taps.keys()].filter(
        (tap) =>
          !done.has(tap) && !/(\.dropout|\.ls_[12]|patch_dropout|_features|logits_per_image)$/.test(tap),
      );
      assert.deepEqual(rest, name === "no-projection" ? ["text.proj"] : []);
    });

    /** A golden tap as a tensor. */
    function g<R extends Rank>(tap: string): Tensor<R> {
      const found = golden.taps.get(tap);
      assert.ok(found, `the golden has no ${tap}`);
      return tensor(found.values, found.shape as Tensor<R>["shape"]);
    }

    const g3 = (tap: string): Tensor3D => g<Rank.R3>(tap);

    function visionCases(): Case[] {
      const { visual } = model;
      const pixels = (): Tensor4D => tensor(golden.image.values, golden.image.shape as Tensor4D["shape"]);
      const cases: Case[] = [
        {
          module: visual.conv1,
          run: () => visual.conv1.apply(pixels()),
          present: (output) => transpose(output, [0, 3, 1, 2]),
        },
        { module: visual.transformer, run: () => visual.transformer.apply(g3("visual.ln_pre")) },
        { module: visual.ln_post, run: () => visual.ln_post.apply(g3("visual.transformer")) },
        { module: visual, run: () => visual.apply(pixels()) },
        {
          module: visual.ln_pre,
          run: () => {
            const grid = g<Rank.R4>("visual.conv1");
            const [batch, width] = grid.shape;
            const patches: Tensor3D = transpose(reshape(grid, [batch, width, -1]), [0, 2, 1]);
            const token: Tensor3D = reshape(visual.classEmbedding.tensor, [1, 1, width]);
            const tokens = concat([concat(Array<Tensor3D>(batch).fill(token), 0), patches], 1);
            return visual.ln_pre.apply(add(tokens, visual.positionalEmbedding.tensor));
          },
        },
      ];
      return [...cases, ...blockCases(visual.transformer, "visual.ln_pre")];
    }

    /** @param first the tap that goes into the first block */
    function blockCases({ resblocks, scope }: Transformer, first: string | Tensor3D, mask?: Tensor): Case[] {
      const cases: Case[] = [];
      for (const [i, block] of resblocks.entries()) {
        const { path } = block.scope;
        const input = (): Tensor3D =>
          i > 0 ? g3(`${scope.path}.resblocks.${i - 1}`) : typeof first === "string" ? g3(first) : first;
        const { ln_1, attn, ln_2, mlp } = block;
        cases.push(
          { module: block, run: () => block.apply(input(), mask) },
          { module: ln_1, run: () => ln_1.apply(input()) },
          { module: attn, run: () => attn.apply(g3(`${path}.ln_1`), mask) },
          { module: ln_2, run: () => ln_2.apply(add(input(), g3(`${path}.attn`))) },
          { module: mlp, run: () => mlp.apply(g3(`${path}.ln_2`)) },
          { module: mlp.c_fc, run: () => mlp.c_fc.apply(g3(`${path}.ln_2`)) },
          { module: mlp.gelu, run: () => mlp.gelu.apply(g3(`${path}.mlp.c_fc`)) },
          { module: mlp.c_proj, run: () => mlp.c_proj.apply(g3(`${path}.mlp.gelu`)) },
        );
      }
      return cases;
    }

    function plainTextCases(text: PlainTextTower): Case[] {
      const { tokenEmbedding, transformer, ln_final } = text;
      const { path } = text.scope;
      const prefix = path === "" ? "" : `${path}.`;
      const ids = {
        ids: Int32Array.from(golden.text.flat()),
        shape: [golden.text.length, golden.text[0]!.length],
      } as const;
      const length = ids.shape[1];
      const mask = tensor2d(
        Array.from({ length: length * length }, (_, i) => (i % length > Math.floor(i / length) ? -1e9 : 0)),
        [length, length],
      );
      const first: Tensor3D = add(g3(`${prefix}token_embedding`), text.positionalEmbedding.tensor);
      return [
        {
          module: tokenEmbedding,
          run: async () => {
            await tokenEmbedding.weight.load(ids.ids);
            return tokenEmbedding.apply(ids);
          },
        },
        { module: transformer, run: () => transformer.apply(first, mask) },
        ...blockCases(transformer, first, mask),
        { module: ln_final, run: () => ln_final.apply(g3(`${prefix}transformer`)) },
        ...(path === "" ? [] : [{ module: text, run: () => text.apply(text.batch(golden.text)) }]),
      ];
    }

    function textCases(): Case[] {
      const { text } = model;
      return text instanceof PlainTextTower ? plainTextCases(text) : robertaCases(text);
    }

    function robertaCases(text: RobertaTextTower): Case[] {
      const { embeddings, encoder } = text.transformer;
      const batch = text.batch(golden.text);
      const types = { ids: new Int32Array(batch.tokens.ids.length), shape: batch.tokens.shape };
      const mask = (): Tensor4D =>
        tidy(() => {
          const [rows, length] = batch.tokens.shape;
          return reshape(mul(add(tensor2d(batch.mask, [rows, length]), -1), 1e9), [rows, 1, 1, length]);
        });
      const prefix = "text.transformer.embeddings";
      const loaded = async <T>(run: () => T): Promise<T> => {
        await Promise.all(embeddings.weightsOf(batch).map((weights) => weights.load()));
        return run();
      };
      const cases: Case[] = [
        { module: embeddings, run: () => loaded(() => embeddings.apply(batch)) },
        {
          module: embeddings.wordEmbeddings,
          run: () => loaded(() => embeddings.wordEmbeddings.apply(batch.tokens)),
        },
        {
          module: embeddings.positionEmbeddings,
          run: () => loaded(() => embeddings.positionEmbeddings.apply(batch.positions)),
        },
        {
          module: embeddings.tokenTypeEmbeddings,
          run: () => loaded(() => embeddings.tokenTypeEmbeddings.apply(types)),
        },
        {
          module: embeddings.layerNorm,
          run: () => {
            const parts = ["word", "position", "token_type"].map((part) =>
              g3(`${prefix}.${part}_embeddings`),
            );
            return embeddings.layerNorm.apply(parts.reduce((sum, part) => add(sum, part)));
          },
        },
        { module: encoder, run: () => encoder.apply(g3(prefix), mask()) },
        { module: text.transformer, run: () => text.transformer.apply(batch) },
        { module: text.pooler, run: () => text.pooler.apply(g3("text.transformer"), batch) },
        { module: text, run: () => text.apply(batch) },
      ];
      for (const [i, layer] of encoder.layer.entries()) {
        const { path } = layer.scope;
        const input = i === 0 ? prefix : `text.transformer.encoder.layer.${i - 1}`;
        const { attention, intermediate, output } = layer;
        const { query, key, value } = attention.self;
        const attended = `${path}.attention`;
        cases.push(
          { module: layer, run: () => layer.apply(g3(input), mask()) },
          ...[query, key, value].map((module) => ({ module, run: () => module.apply(g3(input)) })),
          { module: attention.self, run: () => attention.self.apply(g3(input), mask()) },
          { module: attention, run: () => attention.apply(g3(input), mask()) },
          { module: attention.output, run: () => attention.output.apply(g3(`${attended}.self`), g3(input)) },
          { module: attention.output.dense, run: () => attention.output.dense.apply(g3(`${attended}.self`)) },
          {
            module: attention.output.layerNorm,
            run: () => attention.output.layerNorm.apply(add(g3(`${attended}.output.dense`), g3(input))),
          },
          { module: intermediate, run: () => intermediate.apply(g3(attended)) },
          { module: intermediate.dense, run: () => intermediate.dense.apply(g3(attended)) },
          {
            module: intermediate.activation,
            run: () => intermediate.activation.apply(g3(`${path}.intermediate.dense`)),
          },
          { module: output, run: () => output.apply(g3(`${path}.intermediate`), g3(attended)) },
          { module: output.dense, run: () => output.dense.apply(g3(`${path}.intermediate`)) },
          {
            module: output.layerNorm,
            run: () => output.layerNorm.apply(add(g3(`${path}.output.dense`), g3(attended))),
          },
        );
      }
      if (text.pooler instanceof ClsPooler) {
        const { robertaPooler } = text.pooler;
        const { dense, activation } = robertaPooler;
        cases.push(
          { module: robertaPooler, run: () => robertaPooler.apply(g3("text.transformer")) },
          { module: dense, run: () => dense.apply(firstToken(g3("text.transformer"))) },
          { module: activation, run: () => activation.apply(g<Rank.R2>("text.transformer.pooler.dense")) },
        );
      }
      const { proj } = text;
      if (proj) cases.push({ module: proj, run: () => proj.apply(g<Rank.R2>("text.pooler")) });
      if (proj instanceof MlpProjection) {
        const { expand, gelu, project } = proj;
        cases.push(
          { module: expand, run: () => expand.apply(g<Rank.R2>("text.pooler")) },
          { module: gelu, run: () => gelu.apply(g<Rank.R2>("text.proj.0")) },
          { module: project, run: () => project.apply(g<Rank.R2>("text.proj.1")) },
        );
      }
      return cases;
    }
  });
}

function firstToken(hidden: Tensor3D): Tensor2D {
  const [batch, , width] = hidden.shape;
  return reshape(slice(hidden, [0, 0, 0], [batch, 1, width]), [batch, width]);
}
