/** An index in memory, for specs of the services: rows of two numbers, `caption` and `width` as metadata. */
import { InputError } from "../../lib/errors/input-error.ts";
import type { IndexService, ScoredRow, Search, VectorTerm } from "../../lib/serve/index-service.ts";

export class FakeIndex implements IndexService {
  readonly name = "photos";
  readonly width = 2;
  readonly columns = [{ name: "caption", type: "string" }];
  readonly vectorsOfRows: readonly (readonly [number, number])[] = [
    [1, 0],
    [0.8, 0.6],
    [0, 1],
  ];
  /** What was asked for. */
  readonly searches: Search[] = [];

  get rows(): number {
    return this.vectorsOfRows.length;
  }

  has(side: "image" | "text"): boolean {
    return side === "image";
  }

  vectorOf(terms: readonly VectorTerm[]): Promise<Float32Array> {
    const sum = [0, 0];
    for (const term of terms) {
      const vector = "id" in term ? this.vectorsOfRows[term.id]! : term.vector;
      for (let i = 0; i < 2; i++) sum[i]! += term.weight * vector[i]!;
    }
    const norm = Math.hypot(...sum);
    return Promise.resolve(Float32Array.from(sum, (value) => value / norm));
  }

  search(vector: Float32Array, search: Search): Promise<readonly ScoredRow[]> {
    this.searches.push(search);
    const scored = this.vectorsOfRows.map(([x, y], id) => ({ id, score: x * vector[0]! + y * vector[1]! }));
    return Promise.resolve(scored.sort((a, b) => b.score - a.score).slice(0, search.top));
  }

  shownRows(ids: readonly number[]): Promise<readonly { readonly caption: string }[]> {
    const wrong = ids.find((id) => id >= this.rows);
    if (wrong === undefined) return Promise.resolve(ids.map((id) => ({ caption: `row ${id}` })));
    return Promise.reject(new InputError(`expected the id of a row of photos, found ${wrong}`));
  }

  vectors(ids: readonly number[]): Promise<Float32Array> {
    return Promise.resolve(Float32Array.from(ids.flatMap((id) => this.vectorsOfRows[id]!)));
  }

  thumbnail(id: number): Promise<Uint8Array | null> {
    return Promise.resolve(id === 1 ? Uint8Array.of(0xff, 0xd8) : null);
  }
}
