/**
 * Which code an input reaches that no earlier input of its target has reached.
 *
 * Taking V8's precise coverage costs 0.6 ms, three times as much as a small input, since V8 walks over all functions that
 * are loaded. So it is taken once for a batch of inputs, and for each of them only if the batch reached new code. With tfjs
 * it would be 7 ms: targets that load it have no coverage. Coverage does not see zlib and the WASM codecs either, so the
 * runner also compares the texts of results and errors.
 */
import { Session } from "node:inspector/promises";
import type { Profiler } from "node:inspector";

/** Starts counting in this process. Code that is loaded before is not counted block by block. */
export async function startCoverage(): Promise<Session> {
  const session = new Session();
  session.connect();
  await session.post("Profiler.enable");
  await session.post("Profiler.startPreciseCoverage", { callCount: false, detailed: true });
  return session;
}

/** A piece of a script: [first, end) in characters. */
interface Piece {
  readonly url: string;
  readonly start: number;
  readonly end: number;
}

export class Coverage {
  readonly #session: Session;
  /** For each script, a flag for each character. */
  readonly #reached = new Map<string, Uint8Array>();

  constructor(session: Session) {
    this.#session = session;
  }

  /** The code that ran since the last call and that is not marked as reached. */
  async unreached(): Promise<Piece[]> {
    const { result } = await this.#session.post("Profiler.takePreciseCoverage");
    const pieces: Piece[] = [];
    for (const { url, functions } of result) {
      if (!url.includes("/dist/lib/") && !url.includes("/dist/cli/")) continue;
      for (const { ranges } of functions) {
        for (const [start, end] of executed(ranges)) {
          const first = this.#flags(url, end).indexOf(0, start);
          if (first !== -1 && first < end) pieces.push({ url, start, end });
        }
      }
    }
    return pieces;
  }

  mark(pieces: readonly Piece[]): void {
    for (const { url, start, end } of pieces) this.#flags(url, end).fill(1, start, end);
  }

  #flags(url: string, size: number): Uint8Array {
    let flags = this.#reached.get(url) ?? new Uint8Array(0);
    if (flags.length < size) {
      const longer = new Uint8Array(2 * size);
      longer.set(flags);
      this.#reached.set(url, (flags = longer));
    }
    return flags;
  }
}

/** The parts of a function that ran. V8's ranges are nested: an inner one replaces the count of the outer. */
function executed(ranges: readonly Profiler.CoverageRange[]): [start: number, end: number][] {
  const parts: [number, number][] = [];
  const open: Profiler.CoverageRange[] = [];
  let at = ranges[0]?.startOffset ?? 0;
  const advance = (to: number): void => {
    if (to > at && (open.at(-1)?.count ?? 0) > 0) parts.push([at, to]);
    at = Math.max(at, to);
  };
  const closeUntil = (offset: number): void => {
    for (let last = open.at(-1); last && last.endOffset <= offset; last = open.at(-1)) {
      advance(last.endOffset);
      open.pop();
    }
  };
  for (const range of ranges) {
    closeUntil(range.startOffset);
    advance(range.startOffset);
    open.push(range);
  }
  closeUntil(Infinity);
  return parts;
}
