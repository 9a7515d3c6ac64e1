/** The results of passes, as pages show them. They can be cloned between threads. */
import type { HeadStatistics } from "../study/head-statistics.ts";
import type { TapSummary } from "../trace/tap-summary.ts";

/** An image file. */
export interface NamedBytes {
  /** Identifies the content. */
  readonly key: string;
  /** For errors. */
  readonly name: string;
  readonly bytes: Uint8Array;
}

/** What a page shows of a model. */
export interface ModelInfo {
  readonly name: string;
  readonly backend: string;
  readonly parameters: number;
  /** exp(logit_scale) */
  readonly scale: number;
  readonly layers: number;
  readonly heads: number;
  readonly embedDim: number;
}

/** One head of one layer, for one image. */
export interface HeadSummary extends HeadStatistics {
  /** The class token's attention to all tokens, itself first. */
  readonly row: ArrayLike<number>;
  /** The largest weight on a patch: the end of an absolute scale. The class token has no place in the image. */
  readonly largest: number;
}

/** An RGB image. */
export interface RgbImage {
  readonly width: number;
  readonly height: number;
  /** [height, width, 3] */
  readonly rgb: Uint8ClampedArray;
}

/** A pass of the image tower. */
export interface ImagePass {
  readonly trace: string;
  readonly milliseconds: number;
  readonly taps: readonly TapSummary[];
  /** [layers][heads] */
  readonly heads: readonly (readonly HeadSummary[])[];
  /** Rows and columns of patches. */
  readonly patches: readonly [number, number];
  /** The image as the network receives it. */
  readonly input: RgbImage;
}

/** What a pass of the image tower has found since the part before. All parts together are the pass. */
export interface ImagePart {
  readonly taps: readonly TapSummary[];
  readonly heads: readonly (readonly HeadSummary[])[];
  /** In the first part. */
  readonly inputs: Pick<ImagePass, "patches" | "input"> | null;
}

/** The end of a pass of the image tower. */
export type ImageEnd = Pick<ImagePass, "trace" | "milliseconds">;

export interface Token {
  readonly piece: string;
  readonly id: number;
}

/** A pass of the text tower. */
export interface TextPass {
  readonly trace: string;
  readonly milliseconds: number;
  readonly taps: readonly TapSummary[];
  readonly tokens: readonly Token[];
  /** The attention that each token receives, mean over heads and queries: [layers][L]. */
  readonly received: readonly (readonly number[])[];
}

/** The similarity of an image and a text. */
export interface JointPass {
  readonly trace: string;
  readonly cosine: number;
  readonly logit: number;
  readonly taps: readonly TapSummary[];
}

/** The similarities of several images and classes. */
export interface MatchResult {
  /** [images][labels] */
  readonly cosines: readonly (readonly number[])[];
  readonly milliseconds: number;
}
