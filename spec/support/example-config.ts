/** Architectures of two numbers per token, for worked examples. */
import type {
  ClipConfig,
  ClipTextConfig,
  TransformerConfig,
  XlmRobertaConfig,
  XlmRobertaTextConfig,
} from "../../lib/clip/config/clip-config.ts";

export const exampleTransformer: TransformerConfig = {
  width: 2,
  layers: 1,
  heads: 1,
  mlpWidth: 2,
  layerNormEpsilon: 0,
};

/** Token ids: `<s>` 0, padding 1, `</s>` 2, and the words 3 and 4. */
export const exampleRoberta: XlmRobertaConfig = {
  ...exampleTransformer,
  vocabSize: 5,
  positions: 6,
  tokenTypes: 1,
  padId: 1,
  dropout: { hidden: 0, attention: 0 },
};

export const exampleRobertaText: XlmRobertaTextConfig = {
  kind: "xlm-roberta",
  contextLength: 4,
  pooler: "mean_pooler",
  projection: "linear",
  network: exampleRoberta,
  tokenizer: {
    kind: "hugging-face",
    folders: [],
    clean: "whitespace",
    wordPiece: "hugging-face",
    file: null,
    stripSeparator: false,
  },
};

/** Ids 0 to 4; 4 ends a text. */
export const exampleClipText: ClipTextConfig = {
  ...exampleTransformer,
  kind: "clip",
  contextLength: 3,
  vocabSize: 5,
  prefix: "text",
  tokenizer: {
    kind: "clip-bpe",
    folders: [],
    clean: "lower",
    wordPiece: "hugging-face",
    file: null,
    stripSeparator: false,
  },
};

/** Images of 1 × 2 pixels; each pixel is a patch. */
export const exampleConfig: ClipConfig = {
  embedDim: 3,
  quickGelu: false,
  nonscalarLogitScale: false,
  vision: { ...exampleTransformer, hasLnPre: true, imageSize: [1, 2], patchSize: [1, 1] },
  text: exampleClipText,
};
