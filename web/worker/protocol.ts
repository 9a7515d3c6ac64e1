/** What the page asks its worker, and what the worker answers. All of it can be cloned between threads. */
import type { ModelFiles } from "../../lib/browser/fetch-model.ts";
import type { HeadStatistics } from "../../lib/study/head-statistics.ts";
import type { TapSummary } from "../../lib/trace/tap-summary.ts";

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
  readonly row: readonly number[];
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

/** The calls by name. */
export interface Calls {
  open: {
    readonly params: { readonly name: string; readonly folder: string; readonly files: ModelFiles };
    readonly result: ModelInfo;
  };
  image: {
    readonly params: { readonly key: string; readonly name: string; readonly bytes: Uint8Array };
    readonly result: ImagePass;
  };
  text: { readonly params: { readonly text: string }; readonly result: TextPass };
  joint: {
    readonly params: { readonly image: string; readonly text: string };
    readonly result: JointPass;
  };
  /** A tap's values. */
  read: {
    readonly params: { readonly trace: string; readonly tap: string };
    readonly result: Float32Array;
  };
  match: {
    readonly params: {
      readonly images: readonly { readonly key: string; readonly name: string; readonly bytes: Uint8Array }[];
      readonly labels: readonly string[];
      readonly templates: readonly string[];
    };
    readonly result: MatchResult;
  };
  /** The number of tensors that tfjs holds. */
  tensors: { readonly params: null; readonly result: number };
}

export type CallName = keyof Calls;

export type Request =
  | { readonly [N in CallName]: { readonly id: number; readonly call: N; readonly params: Calls[N]["params"] } }[CallName]
  | { readonly id: number; readonly call: "abort" };

/** An error as it crosses threads. `isInput`: the user can fix it. */
export interface RemoteError {
  readonly message: string;
  readonly isInput: boolean;
}

export type Reply =
  | { readonly id: number; readonly result: Calls[CallName]["result"] }
  | { readonly id: number; readonly error: RemoteError }
  /** While a model loads. */
  | { readonly id: number; readonly progress: readonly [loaded: number, total: number] };
