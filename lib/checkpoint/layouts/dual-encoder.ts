/**
 * VisionTextDualEncoderModel of CLIP's image tower and BERT with its pooler: clip-italian.
 *
 * Source: transformers, VisionTextDualEncoderModel; clip-italian/clip-italian, hybrid_clip
 */
import type { TensorStore } from "../../tensor/store.ts";
import { readFloat32 } from "../../tensor/store.ts";
import { bertText } from "./bert-text.ts";
import { clipVision } from "./clip-vision.ts";
import type { Layout } from "./layout.ts";
import { bertTextOptions, readBert, readClipVision } from "./network-options.ts";
import { readPreprocessor } from "./preprocessor.ts";
import { constant, copy } from "./recipe.ts";
import { nestedConfig, positionIds, type LayoutFiles } from "./source.ts";
import { TranslatedStore } from "./translated-store.ts";

/** Tokens of a text in clip-italian's training. */
const contextLength = 96;

/**
 * clip-italian was trained with logits of 20 · cosine, where 20 was a constant outside the parameters. Its file keeps the
 * parameter at its initial value 1, with which probabilities are nearly equal.
 */
const trainedScale = 20;
const untrained = 1;

export function dualEncoder({ config, preprocessor }: LayoutFiles): Layout {
  const [visionJson, textJson] = [nestedConfig(config, "vision"), nestedConfig(config, "text")];
  visionJson.at("model_type").oneOf("clip_vision_model");
  textJson.at("model_type").oneOf("bert");
  const vision = readClipVision(visionJson);
  const bert = readBert(textJson);
  const usual = { interpolation: "bicubic", resize_mode: "shortest" } as const;
  return {
    name: "VisionTextDualEncoder",
    config: {
      model_cfg: {
        embed_dim: config.at("projection_dim").or(512).integer(1),
        quick_gelu: vision.activation === "quick_gelu",
        vision_cfg: vision.config,
        text_cfg: bertTextOptions(bert, contextLength, "cls_pooler"),
      },
      preprocess_cfg: readPreprocessor(preprocessor, usual, vision.config["image_size"] as number),
      clipscope: { clean: "none" },
    },
    textNetwork: bert.config,
    async translate(weights, { keepLogitScale = false } = {}) {
      const isReplaced = !keepLogitScale && (await isUntrained(weights));
      // transformers 4 nests the vision model once more.
      const isNested = weights.tensors.has("vision_model.vision_model.embeddings.class_embedding");
      const recipes = new Map([
        ...clipVision(isNested ? "vision_model.vision_model." : "vision_model.", vision.layers),
        ...bertText({ prefix: "text_model.", layers: bert.layers, hasPooler: true }),
        ["text.proj.weight", copy("text_projection.weight")],
        ["logit_scale", isReplaced ? constant(Math.log(trainedScale)) : copy("logit_scale")],
      ]);
      const isIgnored = (name: string): boolean =>
        positionIds.test(name) || (isReplaced && name === "logit_scale");
      const note = `the stored logit scale is the untrained ${untrained}: logits are ${trainedScale} · cosine, as in clip-italian's training`;
      return { store: new TranslatedStore(weights, recipes, isIgnored), notes: isReplaced ? [note] : [] };
    },
  };
}

async function isUntrained(weights: TensorStore): Promise<boolean> {
  if (!weights.tensors.has("logit_scale")) return false;
  return (await readFloat32(weights, "logit_scale"))[0] === untrained;
}
