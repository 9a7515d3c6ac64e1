import type { TensorStore } from "../../tensor/store.ts";

/** The content of an open_clip_config.json. */
export interface OpenClipConfig {
  readonly model_cfg: Readonly<Record<string, unknown>>;
  readonly preprocess_cfg: Readonly<Record<string, unknown>>;
  /** Options that open_clip does not read; see lib/clip/config/own-options.ts. */
  readonly clipscope?: Readonly<Record<string, unknown>>;
}

/** A model of another project, in OpenCLIP's terms. */
export interface Layout {
  /** "Chinese-CLIP", for messages. */
  readonly name: string;
  readonly config: OpenClipConfig;
  /** The `config.json` of the folder "text", which the config names; null for CLIP's own text tower. */
  readonly textNetwork: Readonly<Record<string, unknown>> | null;
  /**
   * Presents weights under OpenCLIP's names. The new store closes the old one.
   *
   * @throws InputError if they are not the weights of this model
   */
  translate(weights: TensorStore, options?: TranslateOptions): Promise<Translated>;
}

export interface TranslateOptions {
  /** Keep a stored logit scale that the training did not use (clip-italian). Default: false. */
  readonly keepLogitScale?: boolean;
}

export interface Translated {
  readonly store: TensorStore;
  /** What a user should know about the result: whole sentences without a full stop. */
  readonly notes: readonly string[];
}
