/** What the fuzzer's process and its child say to each other, and the file with the current input. */
import { closeSync, openSync, readFileSync, writeSync } from "node:fs";

/** The work of a child: one target, so that it loads no other code, of which V8 would count the coverage too. */
export interface Job {
  readonly target: string;
  readonly seed: number;
  /** In milliseconds. */
  readonly time: number;
  /** The number of inputs after which it is done; null if time alone decides. */
  readonly inputs: number | null;
  /** A temporary folder of this job. */
  readonly folder: string;
  /** The folder of the corpus, with a folder for the target; null if it is not kept. */
  readonly corpus: string | null;
  /** Run this input once, and nothing else. */
  readonly replay: string | null;
}

export interface Progress {
  readonly inputs: number;
  readonly kept: number;
  readonly milliseconds: number;
  readonly digest: string;
}

export type Message =
  | { readonly kind: "progress"; readonly progress: Progress }
  | {
      readonly kind: "finding";
      readonly text: string;
      readonly details: string;
      /** Base64. */
      readonly input: string;
    }
  | { readonly kind: "verdict"; readonly isFailure: boolean; readonly text: string; readonly details: string }
  | { readonly kind: "done" };

/**
 * The input that runs now: the child writes it before it runs it, so that the parent has it after a crash, and sees that
 * the child is stuck if it stays the same.
 */
export class CurrentInput {
  readonly #file: number;
  #count = 0;

  constructor(folder: string) {
    this.#file = openSync(pathIn(folder), "w");
  }

  write(input: Uint8Array): void {
    const head = Buffer.alloc(headSize);
    head.writeUInt32LE((this.#count = (this.#count + 1) >>> 0), 0);
    head.writeUInt32LE(input.length, 4);
    writeSync(this.#file, head, 0, headSize, 0);
    writeSync(this.#file, input, 0, input.length, headSize);
  }

  close(): void {
    closeSync(this.#file);
  }
}

const headSize = 8;

export interface CurrentState {
  readonly count: number;
  readonly input: Uint8Array;
}

/** Reads the current input of a child; null before the first. */
export function readCurrentInput(folder: string): CurrentState | null {
  const bytes = readFileSync(pathIn(folder), { flag: "a+" });
  if (bytes.length < headSize) return null;
  return {
    count: bytes.readUInt32LE(0),
    input: bytes.subarray(headSize, headSize + bytes.readUInt32LE(4)),
  };
}

function pathIn(folder: string): string {
  return `${folder}/current-input`;
}
