/** What the page asks its worker, and what the worker answers. All of it can be cloned between threads. */
import type { ModelFiles } from "../../lib/browser/fetch-model.ts";
import type { Calls as Questions } from "../../lib/studio/answers.ts";
import type { ModelInfo } from "../../lib/studio/results.ts";

/** The calls by name: the questions about the network, and the loading of it. */
export interface Calls extends Questions {
  readonly open: {
    readonly params: { readonly name: string; readonly folder: string; readonly files: ModelFiles };
    readonly result: ModelInfo;
    readonly update: never;
  };
}

export type CallName = keyof Calls;

/** One call. */
export type Question = {
  readonly [N in CallName]: {
    readonly id: number;
    readonly call: N;
    readonly params: Calls[N]["params"];
  };
}[CallName];

export type Request = Question | { readonly id: number; readonly call: "abort" };

/** An error as it crosses threads. `isInput`: the user can fix it. */
export interface RemoteError {
  readonly message: string;
  readonly isInput: boolean;
}

export type Reply =
  | { readonly id: number; readonly result: Calls[CallName]["result"] }
  | { readonly id: number; readonly error: RemoteError }
  | { readonly id: number; readonly progress: readonly [done: number, total: number] }
  /** A part of the result. */
  | { readonly id: number; readonly update: Calls[CallName]["update"] };
