/**
 * Hugging Face's CLIPModel: OpenAI's models, LAION's copies for transformers, and fine-tunes of both.
 *
 * Source: transformers, CLIPModel
 */
import { InputError } from "../../errors/input-error.ts";
import { clipBlocks, clipVision } from "./clip-vision.ts";
import type { Layout } from "./layout.ts";
import { readClipText, readClipVision } from "./network-options.ts";
import { readPreprocessor } from "./preprocessor.ts";
import { copy, copyModule, transpose } from "./recipe.ts";
import { nestedConfig, positionIds, type LayoutFiles } from "./source.ts";
import { TranslatedStore } from "./translated-store.ts";

export function clipModel({ config, preprocessor }: LayoutFiles): Layout {
  const [visionJson, textJson] = [nestedConfig(config, "vision"), nestedConfig(config, "text")];
  visionJson.at("model_type").or("clip_vision_model").oneOf("clip_vision_model");
  textJson.at("model_type").or("clip_text_model").oneOf("clip_text_model");
  const [vision, text] = [readClipVision(visionJson), readClipText(textJson)];
  if (vision.activation !== text.activation) {
    throw new InputError(
      `${config.where}: expected one hidden_act for both towers, found "${vision.activation}" and "${text.activation}", which open_clip cannot express`,
    );
  }
  const usual = { interpolation: "bicubic", resize_mode: "shortest" } as const;
  return {
    name: "CLIPModel",
    config: {
      model_cfg: {
        embed_dim: config.at("projection_dim").or(512).integer(1),
        quick_gelu: vision.activation === "quick_gelu",
        vision_cfg: vision.config,
        text_cfg: text.config,
      },
      preprocess_cfg: readPreprocessor(preprocessor, usual, vision.config["image_size"] as number),
    },
    textNetwork: null,
    translate(weights) {
      const recipes = new Map([
        ...clipVision("vision_model.", vision.layers),
        ["token_embedding.weight", copy("text_model.embeddings.token_embedding.weight")],
        ["positional_embedding", copy("text_model.embeddings.position_embedding.weight")],
        ...clipBlocks("transformer", "text_model.encoder", text.layers),
        ...copyModule("ln_final", "text_model.final_layer_norm"),
        ["text_projection", transpose("text_projection.weight")],
        ["logit_scale", copy("logit_scale")],
      ]);
      const store = new TranslatedStore(weights, recipes, (name) => positionIds.test(name));
      return Promise.resolve({ store, notes: [] });
    },
  };
}
