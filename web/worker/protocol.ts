/** What the page asks its worker, and what the worker answers. All of it can be cloned between threads. */
import type { ModelFiles } from "../../lib/browser/fetch-model.ts";
import type {
  ImagePass,
  JointPass,
  MatchResult,
  ModelInfo,
  NamedBytes,
  TextPass,
} from "../../lib/trace/results.ts";

/** The calls by name. */
export interface Calls {
  open: {
    readonly params: { readonly name: string; readonly folder: string; readonly files: ModelFiles };
    readonly result: ModelInfo;
  };
  image: {
    readonly params: NamedBytes;
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
      readonly images: readonly NamedBytes[];
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
  | {
      readonly [N in CallName]: {
        readonly id: number;
        readonly call: N;
        readonly params: Calls[N]["params"];
      };
    }[CallName]
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
