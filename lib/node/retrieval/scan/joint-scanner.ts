/** Joins the searches of concurrent callers into scans: the codes are read once for all of them. */
import type { Mask, Wanted } from "../../../retrieval/scan/scan-codes.ts";
import type { ScoredRow } from "../../../retrieval/scan/top-rows.ts";
import type { Scanner } from "./scanner.ts";

interface Call {
  readonly queries: readonly ArrayLike<number>[];
  readonly wanted: Wanted;
  readonly mask: Mask;
  readonly resolve: (found: ScoredRow[][]) => void;
  readonly reject: (error: unknown) => void;
}

/** A scanner whose calls wait for the scan that runs; those that fit together then share the next one. */
export class JointScanner implements Scanner {
  readonly #scanner: Scanner;
  #waiting: Call[] = [];
  #isRunning = false;

  constructor(scanner: Scanner) {
    this.#scanner = scanner;
  }

  get threads(): number {
    return this.#scanner.threads;
  }

  search(queries: readonly ArrayLike<number>[], wanted: Wanted, mask: Mask): Promise<ScoredRow[][]> {
    return new Promise((resolve, reject) => {
      this.#waiting.push({ queries, wanted, mask, resolve, reject });
      if (!this.#isRunning) void this.#run();
    });
  }

  close(): Promise<void> {
    return this.#scanner.close();
  }

  async #run(): Promise<void> {
    this.#isRunning = true;
    while (this.#waiting.length > 0) await this.#scan(this.#take());
    this.#isRunning = false;
  }

  /** The first call, and those for the best rows among the same ones. */
  #take(): readonly Call[] {
    const [first, ...others] = this.#waiting;
    const fits = ({ wanted, mask }: Call): boolean =>
      "k" in first!.wanted && "k" in wanted && mask === first!.mask;
    this.#waiting = others.filter((call) => !fits(call));
    return [first!, ...others.filter(fits)];
  }

  /** Never throws. */
  async #scan(calls: readonly Call[]): Promise<void> {
    const [{ wanted, mask }] = calls as readonly [Call];
    // The best of more rows begin with the best of fewer.
    const most = Math.max(...calls.map((call) => ("k" in call.wanted ? call.wanted.k : 0)));
    const queries = calls.flatMap((call) => call.queries);
    try {
      const found = await this.#scanner.search(queries, "k" in wanted ? { k: most } : wanted, mask);
      let at = 0;
      for (const call of calls) {
        const own = found.slice(at, (at += call.queries.length));
        const { wanted: ofCall } = call;
        call.resolve("k" in ofCall ? own.map((rows) => rows.slice(0, ofCall.k)) : own);
      }
    } catch (error) {
      for (const { reject } of calls) reject(error);
    }
  }
}
