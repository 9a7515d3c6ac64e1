/** The architecture of a model, validated: the code takes all sizes from these objects. */

/** A CLIP model: a ViT image tower and a text tower. */
export interface ClipConfig {
  /** Width of the space that both towers project into. */
  readonly embedDim: number;
  /** Whether CLIP's own blocks use QuickGELU instead of GELU (XLM-R and its projection never do). */
  readonly quickGelu: boolean;
  readonly vision: VisionConfig;
  readonly text: TextConfig;
  /** Whether `logit_scale` has the shape [1] instead of []. */
  readonly nonscalarLogitScale: boolean;
}

/** Sizes of a stack of CLIP's own (pre-norm) blocks. */
export interface TransformerConfig {
  readonly width: number;
  readonly layers: number;
  readonly heads: number;
  /** Width inside the MLP. */
  readonly mlpWidth: number;
  readonly layerNormEpsilon: number;
}

export interface VisionConfig extends TransformerConfig {
  /** In pixels. */
  /** Whether a LayerNorm precedes the blocks. */
  readonly hasLnPre: boolean;
  readonly imageSize: readonly [height: number, width: number];
  readonly patchSize: readonly [height: number, width: number];
}

/** The configuration of a text tower, distinguished by `kind`. */
export type TextConfig = XlmRobertaTextConfig | BertTextConfig | ClipTextConfig;

/** What every text tower has. `kind` is a key of lib/clip/text/registry.ts. */
interface AnyTextConfig {
  readonly kind: string;
  /** Tokens that the tokenizer cuts a text to, including the start and end tokens. */
  readonly contextLength: number;
  readonly tokenizer: TokenizerConfig;
}

/** A text network of Hugging Face's with a pooler and a projection. */
interface HuggingFaceTextConfig extends AnyTextConfig {
  readonly pooler: "mean_pooler" | "cls_pooler" | "cls_last_hidden_state_pooler";
  readonly projection: "linear" | "mlp" | "none";
  readonly network: XlmRobertaConfig;
}

/** XLM-RoBERTa or RoBERTa, which differ in their tokenizers. */
export interface XlmRobertaTextConfig extends HuggingFaceTextConfig {
  readonly kind: "xlm-roberta";
}

/** BERT: the same modules, with positions counted from 0. */
export interface BertTextConfig extends HuggingFaceTextConfig {
  readonly kind: "bert";
}

/** CLIP's own causal text transformer, with as many positions as the context has tokens. */
export interface ClipTextConfig extends AnyTextConfig, TransformerConfig {
  readonly kind: "clip";
  readonly vocabSize: number;
  /** State-dict prefix of the tower: the root, or "text" if the config sets `custom_text`. */
  readonly prefix: "" | "text";
}

/** The sizes of XLM-RoBERTa or BERT. */
export interface XlmRobertaConfig extends TransformerConfig {
  readonly vocabSize: number;
  /** Rows of the position table. XLM-RoBERTa's first token has the position padId + 1, BERT's has 0. */
  readonly positions: number;
  readonly tokenTypes: number;
  readonly padId: number;
  /** Shares of the values that training sets to 0. */
  readonly dropout: { readonly hidden: number; readonly attention: number };
}

/** The tokenizer's options in a config. */
export interface TokenizerConfig {
  /** Which tokenizer of lib/text. */
  readonly kind: "clip-bpe" | "hugging-face";
  /**
   * Folders (relative to the model directory) or repositories that may hold the tokenizer's file, after the directory
   * itself. None if the tokenizer is part of the package.
   */
  readonly folders: readonly string[];
  readonly clean: "none" | "whitespace" | "lower" | "canonicalize";
  /** The name of the tokenizer's file; null for any of `tokenizerFiles` (lib/text/tokenizer-files.ts). */
  readonly file: string | null;
  /** Whose tokenizer reads a `vocab.txt`. */
  readonly wordPiece: "hugging-face" | "cn-clip";
  /** Replace `</s>` by id 0: `tokenizer_kwargs.strip_sep_token`. */
  readonly stripSeparator: boolean;
}
