/** The rows of an index that a condition on their metadata admits. */
import type { Column } from "../../retrieval/columns.ts";
import type { Mask } from "../../retrieval/scan/scan-codes.ts";
import { columnsOf, evaluateWhere } from "../../retrieval/where/evaluate-where.ts";
import { parseWhere } from "../../retrieval/where/parse-where.ts";
import { whereError } from "../../retrieval/where/tokens.ts";
import type { SearchedIndex } from "./searched-index.ts";

type FilteredIndex = Pick<SearchedIndex, "path" | "rows" | "columns" | "deleted" | "readColumn">;

/** Evaluates conditions; keeps the columns that they use in memory. */
export class RowFilter {
  readonly #index: FilteredIndex;
  readonly #columns = new Map<string, Promise<Column>>();

  constructor(index: FilteredIndex) {
    this.#index = index;
  }

  /**
   * The rows that fulfil a condition, deleted ones included, as a bitmap.
   *
   * @throws InputError that points at the mistake in the condition
   */
  async matching(condition: string): Promise<Uint8Array> {
    const where = parseWhere(condition);
    const columns = new Map<string, Column>();
    for (const { name, at } of columnsOf(where)) columns.set(name, await this.#column(name, condition, at));
    return evaluateWhere(where, condition, columns, this.#index.rows);
  }

  /** The rows that a query may find: those that are not deleted and fulfil the condition. */
  async mask(condition: string | undefined): Promise<Mask> {
    const { deleted, rows } = this.#index;
    if (condition === undefined && deleted.count === 0) return null;
    const bits =
      condition === undefined
        ? new Uint8Array(Math.ceil(rows / 8)).fill(0xff)
        : await this.matching(condition);
    const length = Math.min(bits.length, deleted.bits.length);
    for (let i = 0; i < length; i++) bits[i]! &= ~deleted.bits[i]!;
    return bits;
  }

  async #column(name: string, condition: string, at: number): Promise<Column> {
    const known = this.#index.columns;
    if (!known.some((column) => column.name === name)) {
      const names = known.map((column) => column.name).join(", ") || "none";
      throw whereError(condition, at, `expected a column of ${this.#index.path} (${names}), found ${name}`);
    }
    let column = this.#columns.get(name);
    if (column === undefined) {
      column = this.#index.readColumn(name);
      this.#columns.set(name, column);
      column.catch(() => this.#columns.delete(name));
    }
    return column;
  }
}
