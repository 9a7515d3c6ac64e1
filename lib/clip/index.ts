/**
 * CLIP's network, its configuration, tokenizers and preprocessing. Runs in browsers too.
 *
 * @module clip
 */
export { Clip, type ClipParts, type EncodeOptions, type EncodeTokensOptions } from "./clip.ts";
export { declaredTensors } from "./network.ts";
export { l2Normalize } from "./normalize.ts";
export { contrastiveLoss, type LossInputs } from "./loss.ts";
export { backward, type BackwardOptions, type Loss, type LossSources, type Receivers } from "./backward.ts";
export { gradients, type GradientInputs, type GradientOptions, type Gradients } from "./gradients.ts";
export { penultimateImageStates, penultimateTextStates } from "./hidden-states.ts";
export { VisionTransformer } from "./vision/vision-transformer.ts";
export { BertTextTower } from "./text/bert/bert-text-tower.ts";
export { ClipTextTower } from "./text/clip/clip-text-tower.ts";
export { TokenBatch, type TokenRules } from "./text/token-batch.ts";
export { TextTower } from "./text/tower.ts";
export { XlmRobertaTextTower } from "./text/xlm-roberta/xlm-roberta-text-tower.ts";
export { countFlops, type FlopOptions, type Flops } from "./flops.ts";
export type {
  BertTextConfig,
  ClipConfig,
  ClipTextConfig,
  TextConfig,
  TokenizerConfig,
  TransformerConfig,
  VisionConfig,
  XlmRobertaConfig,
  XlmRobertaTextConfig,
} from "./config/clip-config.ts";
export { architectureByName, parseClipConfig, type ReadTextNetwork } from "./config/open-clip.ts";
export { parsePreprocessConfig } from "./config/preprocess-config.ts";
export { recognizeArchitecture } from "./config/recognize.ts";
export { decodeImage, type DecodedImage, type DecodeOptions, type ImageCodecs } from "../image/decode.ts";
export { preprocessImage, type PreprocessImage } from "../image/preprocess.ts";
export type { PreprocessConfig } from "../image/transform.ts";
export { createTokenizer } from "../text/create-tokenizer.ts";
export type { TokenizedText, Tokenizer, TokenizerFile, TokenizerOptions } from "../text/tokenizer.ts";
