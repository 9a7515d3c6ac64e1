/** A thread that holds codes and scans them. */
import { Worker } from "node:worker_threads";
import { InputError } from "../../../errors/input-error.ts";
import type { QuantisedQuery } from "../../../retrieval/scan/quantise.ts";
import type { Mask, Wanted } from "../../../retrieval/scan/scan-codes.ts";
import type { ScoredRow } from "../../../retrieval/scan/top-rows.ts";
import type { KernelChoice } from "./scan-kernel.ts";
import type { SegmentPlace } from "./segments.ts";

export interface OpenRequest {
  readonly places: readonly SegmentPlace[];
  readonly kernel: KernelChoice;
}

export interface ScanRequest {
  readonly queries: readonly QuantisedQuery[];
  readonly wanted: Wanted;
  readonly mask: Mask;
}

export type ThreadRequest = { readonly open: OpenRequest } | { readonly scan: ScanRequest };

/** Answers come in the order of the requests. */
export type ThreadReply =
  | { readonly rows: number }
  | { readonly found: readonly FoundRows[] }
  | { readonly message: string; readonly details: readonly string[] };

/** Rows without an object each, which would take longer to send than to find. */
export interface FoundRows {
  readonly ids: Float64Array<ArrayBuffer>;
  readonly scores: Float64Array<ArrayBuffer>;
}

interface Waiting {
  readonly resolve: (reply: ThreadReply) => void;
  readonly reject: (error: unknown) => void;
}

export class ScanThread {
  readonly #worker: Worker;
  readonly #ended: Promise<unknown>;
  readonly #waiting: Waiting[] = [];
  #failure: Error | null = null;

  constructor() {
    // Without this process's flags: some, such as --input-type, prevent a thread from starting.
    this.#worker = new Worker(new URL("./scan-worker.js", import.meta.url), { execArgv: [] });
    // The process may end while the thread waits.
    this.#worker.unref();
    this.#ended = new Promise((resolve) => this.#worker.once("exit", resolve));
    this.#worker.on("message", (reply: ThreadReply) => {
      const { resolve, reject } = this.#waiting.shift()!;
      if (this.#waiting.length === 0) this.#worker.unref();
      if ("message" in reply) reject(new InputError(reply.message, reply.details));
      else resolve(reply);
    });
    this.#worker.on("error", (error: unknown) => {
      this.#fail(error instanceof Error ? error : new Error(String(error)));
    });
    this.#worker.on("exit", (status) => {
      this.#fail(new Error(`a scan thread ended with status ${status}`));
    });
  }

  /** Loads the codes. */
  async open(request: OpenRequest): Promise<void> {
    await this.#ask({ open: request });
  }

  async scan(request: ScanRequest): Promise<ScoredRow[][]> {
    const { found } = (await this.#ask({ scan: request })) as { readonly found: readonly FoundRows[] };
    return found.map(({ ids, scores }) => Array.from(ids, (id, i) => ({ id, score: scores[i]! })));
  }

  async close(): Promise<void> {
    await this.#worker.terminate();
    await this.#ended;
  }

  #ask(request: ThreadRequest): Promise<ThreadReply> {
    if (this.#failure !== null) return Promise.reject(this.#failure);
    return new Promise((resolve, reject) => {
      this.#waiting.push({ resolve, reject });
      this.#worker.ref();
      this.#worker.postMessage(request);
    });
  }

  #fail(error: Error): void {
    this.#failure ??= error;
    for (const { reject } of this.#waiting.splice(0)) reject(this.#failure);
  }
}
