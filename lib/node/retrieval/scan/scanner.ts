/** Scans the codes of an index: in this thread, or in one thread per group of rows. */
import { availableParallelism } from "node:os";
import { paddedWidth } from "../../../retrieval/scan/kernel.ts";
import { quantiseQuery } from "../../../retrieval/scan/quantise.ts";
import { scanCodes, type CodeSegment, type Mask, type Wanted } from "../../../retrieval/scan/scan-codes.ts";
import { inOrder, type ScoredRow } from "../../../retrieval/scan/top-rows.ts";
import { scanKernel, type KernelChoice } from "./scan-kernel.ts";
import { ScanThread } from "./scan-thread.ts";
import { loadSegments, type PlacedCodes, type SegmentPlace } from "./segments.ts";

/** Candidates for queries. Another engine than the scan has the same interface. */
export interface Scanner {
  /** Threads besides the caller's. */
  readonly threads: number;
  /**
   * The rows with the best approximate scores, or all rows whose exact score may reach `min`.
   *
   * @param queries of the index's width
   * @param mask the rows that may be found
   */
  search(queries: readonly ArrayLike<number>[], wanted: Wanted, mask: Mask): Promise<ScoredRow[][]>;
  close(): Promise<void>;
}

/** Bytes of codes in one memory: WebAssembly addresses 4 GiB. */
const mostBytes = 2 ** 30;

/** Smaller collections are scanned before a thread could start. */
const fewestBytesForThreads = 2 ** 25;

/** How codes are scanned. */
export interface ScannerOptions {
  /** Default: one per processor, and none for a small index; 0 scans in the calling thread. */
  readonly threads?: number;
  /** Default: auto, which is native with a native build, else wasm. The results are the same. */
  readonly kernel?: KernelChoice;
}

/** Loads codes into memory. @param width of the vectors */
export async function openScanner(
  places: readonly PlacedCodes[],
  width: number,
  { threads, kernel = "auto" }: ScannerOptions = {},
): Promise<Scanner> {
  const rows = places.reduce((sum, { file }) => sum + file.head.rows, 0);
  const padded = paddedWidth(width);
  const isSmall = rows * padded < fewestBytesForThreads;
  const wanted = threads ?? (isSmall ? 0 : availableParallelism());
  const perSegment = Math.max(
    1,
    Math.min(Math.floor(mostBytes / padded), Math.ceil(rows / Math.max(1, wanted))),
  );
  const segments = divide(places, perSegment);
  if (wanted === 0 || segments.length === 0) return LocalScanner.open(segments, width, kernel);
  return ThreadedScanner.open(shareOut(segments, wanted), width, kernel);
}

function divide(places: readonly PlacedCodes[], most: number): SegmentPlace[] {
  return places.flatMap(({ file, firstId }) => {
    const { rows } = file.head;
    return Array.from({ length: Math.ceil(rows / most) }, (_, i) => {
      const first = i * most;
      return { file, first, rows: Math.min(most, rows - first), firstId: firstId + first };
    });
  });
}

/** Groups of about the same number of rows, largest segments first. */
function shareOut(segments: readonly SegmentPlace[], groups: number): SegmentPlace[][] {
  const shares = Array.from({ length: groups }, () => ({ rows: 0, segments: [] as SegmentPlace[] }));
  for (const segment of segments.toSorted((a, b) => b.rows - a.rows)) {
    const least = shares.reduce((best, share) => (share.rows < best.rows ? share : best));
    least.rows += segment.rows;
    least.segments.push(segment);
  }
  return shares.map((share) => share.segments).filter((share) => share.length > 0);
}

class LocalScanner implements Scanner {
  readonly threads = 0;
  readonly #segments: readonly CodeSegment[];
  readonly #width: number;

  private constructor(segments: readonly CodeSegment[], width: number) {
    this.#segments = segments;
    this.#width = paddedWidth(width);
  }

  static async open(
    places: readonly SegmentPlace[],
    width: number,
    kernel: KernelChoice,
  ): Promise<LocalScanner> {
    return new LocalScanner(await loadSegments(places, scanKernel(kernel)), width);
  }

  async search(queries: readonly ArrayLike<number>[], wanted: Wanted, mask: Mask): Promise<ScoredRow[][]> {
    const quantised = queries.map((query) => quantiseQuery(query, this.#width));
    return Promise.resolve(scanCodes(this.#segments, quantised, wanted, mask));
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

class ThreadedScanner implements Scanner {
  readonly #threads: readonly ScanThread[];
  readonly #width: number;

  private constructor(threads: readonly ScanThread[], width: number) {
    this.#threads = threads;
    this.#width = paddedWidth(width);
  }

  static async open(
    shares: readonly (readonly SegmentPlace[])[],
    width: number,
    kernel: KernelChoice,
  ): Promise<ThreadedScanner> {
    const threads = shares.map(() => new ScanThread());
    try {
      await Promise.all(shares.map((places, i) => threads[i]!.open({ places, kernel })));
      return new ThreadedScanner(threads, width);
    } catch (error) {
      await Promise.all(threads.map((thread) => thread.close()));
      throw error;
    }
  }

  get threads(): number {
    return this.#threads.length;
  }

  async search(queries: readonly ArrayLike<number>[], wanted: Wanted, mask: Mask): Promise<ScoredRow[][]> {
    const quantised = queries.map((query) => quantiseQuery(query, this.#width));
    const parts = await Promise.all(
      this.#threads.map((thread) => thread.scan({ queries: quantised, wanted, mask })),
    );
    return queries.map((_, i) => {
      const rows = parts.flatMap((part) => part[i]!);
      if ("k" in wanted) return rows.sort(inOrder).slice(0, wanted.k);
      return rows.sort((a, b) => a.id - b.id);
    });
  }

  async close(): Promise<void> {
    await Promise.all(this.#threads.map((thread) => thread.close()));
  }
}
