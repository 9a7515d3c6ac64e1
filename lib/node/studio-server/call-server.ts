/**
 * Answers the questions of the page: `POST /api/calls/NAME` with the parameters as JSON, answered by lines of JSON
 * (lib/studio/wire.ts) while the work goes on: `queued`, `progress`, `update`, and at last `result` or `error`.
 *
 * One form serves all questions, those of lib/studio/answers.ts, so that views do not know whether the network runs in the
 * page or here. Lines over one response need no library and no second kind of authentication, as a WebSocket would; and
 * an EventSource can send neither headers nor a body.
 *
 * `GET /api/passes/NAME/trace.safetensors` is a kept pass as a file, for other programs; it can be read by range.
 */
import type { IncomingMessage, ServerResponse } from "node:http";
import { InputError } from "../../errors/input-error.ts";
import type { Answer } from "../../studio/answer.ts";
import { answers, type CallName } from "../../studio/answers.ts";
import type { Passes } from "../../studio/passes.ts";
import type { ModelInfo } from "../../studio/results.ts";
import { decodeWire, encodeWire, largestQuestion } from "../../studio/wire.ts";
import { TraceDocument } from "../../trace/trace-document.ts";
import type { TraceSource } from "../../trace/trace-source.ts";
import { readBody } from "../http/read-body.ts";
import { sendRange } from "../http/send-range.ts";
import { Turns } from "./turns.ts";

/** A request that is not answered by lines. */
export interface BadRequest {
  readonly status: 400 | 404 | 413 | 415;
  readonly reason: string;
}

export class CallServer {
  readonly #passes: Passes;
  readonly #info: ModelInfo;
  readonly #version: string;
  readonly #turns = new Turns();
  readonly #closing = new AbortController();

  /** @param info the answer to the question `open` @param version of this program, for the traces' metadata */
  constructor(passes: Passes, info: ModelInfo, version: string) {
    this.#passes = passes;
    this.#info = info;
    this.#version = version;
  }

  /** Answers a request, whose guard and token were checked, or says why not. @param name of the question */
  async answer(request: IncomingMessage, response: ServerResponse, name: string): Promise<BadRequest | null> {
    if (name !== "open" && !Object.hasOwn(answers, name)) return { status: 404, reason: `no call "${name}"` };
    if (request.headers["content-type"] !== "application/json") {
      return { status: 415, reason: "expected the content type application/json" };
    }
    const body = await readBody(request, largestQuestion);
    if (body === null) return { status: 413, reason: `expected at most ${largestQuestion} bytes` };
    let params: unknown;
    try {
      params = decodeWire(body.toString("utf8"));
    } catch (error) {
      return { status: 400, reason: (error as Error).message };
    }
    const gone = new AbortController();
    response.on("close", () => {
      gone.abort();
    });
    response.writeHead(200, { "Content-Type": "application/x-ndjson", "Cache-Control": "no-store" });
    const send = (line: object): void => {
      response.write(`${encodeWire(line)}\n`);
    };
    const signal = AbortSignal.any([gone.signal, this.#closing.signal]);
    const onPlace = (queued: number): void => {
      send({ queued });
    };
    await this.#turns
      .run(() => this.#reply(name, params, send, signal), signal, onPlace)
      .catch((error: unknown) => {
        if (!signal.aborted) throw error; // else the client has gone while it waited
      });
    response.end();
    return null;
  }

  /** Sends a kept pass as a safetensors file. @param name the trace's, as a part of an address */
  async sendTrace(
    request: IncomingMessage,
    response: ServerResponse,
    name: string,
  ): Promise<BadRequest | null> {
    const trace = this.#traceOf(name);
    if (trace === null) return { status: 404, reason: "no such pass" };
    const document = new TraceDocument(trace, { clipscope: this.#version, backend: this.#info.backend });
    const { size } = document;
    response.setHeader("Cache-Control", "no-store");
    await sendRange(request, response, {
      type: "application/octet-stream",
      size,
      bytes: (first, last) => document.bytes(first, last),
    });
    return null;
  }

  #traceOf(name: string): TraceSource | null {
    try {
      return this.#passes.find(decodeURIComponent(name)).trace;
    } catch {
      return null; // not kept, or not an encoded name
    }
  }

  /** Ends the work. */
  close(): void {
    this.#closing.abort();
  }

  async #reply(
    name: string,
    params: unknown,
    send: (line: object) => void,
    signal: AbortSignal,
  ): Promise<void> {
    try {
      signal.throwIfAborted();
      if (name === "open") {
        send({ result: this.#info });
        return;
      }
      const answer = answers[name as CallName] as Answer<unknown, unknown, unknown>;
      const result = await answer(this.#passes, params, {
        signal,
        progress: (...progress) => {
          send({ progress });
        },
        update: (update) => {
          send({ update });
        },
      });
      send({ result });
    } catch (error) {
      if (signal.aborted) return;
      const message = error instanceof Error ? error.message : String(error);
      send({ error: { message, isInput: error instanceof InputError } });
    }
  }
}
