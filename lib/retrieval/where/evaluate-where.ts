/** Evaluates a filter over whole columns, with SQL's logic of three values: a comparison with null is unknown. */
import { noBoolean, noText, type Column, type TextColumn } from "../columns.ts";
import type { ColumnName, Comparison, Value, Where } from "./parse-where.ts";
import { whereError } from "./tokens.ts";

/** Per row: 0 false, 1 true, 2 unknown. */
type Truth = Uint8Array;
const unknown = 2;

/** The columns that an expression uses, each once. */
export function columnsOf(where: Where): ColumnName[] {
  const found = new Map<string, ColumnName>();
  const visit = (of: Where): void => {
    if ("of" in of) visit(of.of);
    else if ("left" in of) {
      visit(of.left);
      visit(of.right);
    } else if (!found.has(of.column.name)) found.set(of.column.name, of.column);
  };
  visit(where);
  return [...found.values()];
}

/**
 * The rows that fulfil a condition, as a bitmap: bit `row & 7` of byte `row >> 3`.
 *
 * @param columns those of {@link columnsOf}, of `rows` rows
 * @throws InputError if a value does not have its column's type; it points at the value
 */
export function evaluateWhere(
  where: Where,
  expression: string,
  columns: ReadonlyMap<string, Column>,
  rows: number,
): Uint8Array {
  const truth = new Evaluation(expression, columns, rows).of(where);
  const bits = new Uint8Array(Math.ceil(rows / 8));
  for (let row = 0; row < rows; row++) if (truth[row] === 1) bits[row >> 3]! |= 1 << (row & 7);
  return bits;
}

class Evaluation {
  readonly #expression: string;
  readonly #columns: ReadonlyMap<string, Column>;
  readonly #rows: number;

  constructor(expression: string, columns: ReadonlyMap<string, Column>, rows: number) {
    this.#expression = expression;
    this.#columns = columns;
    this.#rows = rows;
  }

  of(where: Where): Truth {
    switch (where.kind) {
      case "and":
        return this.#both(where.left, where.right, (a, b) => (a === 0 || b === 0 ? 0 : Math.max(a, b)));
      case "or":
        return this.#both(where.left, where.right, (a, b) => (a === 1 || b === 1 ? 1 : Math.max(a, b)));
      case "not":
        return this.of(where.of).map((value) => (value === unknown ? unknown : 1 - value));
      case "null":
        return this.#each(where.column, () => 0).map((value) => (value === unknown ? 1 : 0));
      case "true":
        return this.#isTrue(where.column);
      case "compare":
        return this.#compare(where.column, where.operator, where.value);
      case "in":
        return this.#in(where.column, where.values);
      case "like":
        return this.#like(where.column, where.pattern, where.ignoresCase);
    }
  }

  #both(left: Where, right: Where, combine: (a: number, b: number) => number): Truth {
    const [a, b] = [this.of(left), this.of(right)];
    return a.map((value, row) => combine(value, b[row]!));
  }

  #isTrue(column: ColumnName): Truth {
    if (this.#column(column).type !== "boolean") {
      throw this.#error(column.at + column.name.length, `expected an operator after ${column.name}`);
    }
    return this.#each(column, (value) => Number(value === true));
  }

  #compare(column: ColumnName, operator: Comparison, literal: Value): Truth {
    const expected = this.#typed(column, literal);
    if (typeof expected === "boolean" && operator !== "=" && operator !== "<>")
      throw this.#error(literal.at, `expected = or <> for the column ${column.name}, found ${operator}`);
    return this.#each(column, (value) => Number(compare(value, operator, expected)));
  }

  #in(column: ColumnName, literals: readonly Value[]): Truth {
    const expected = new Set(literals.map((literal) => this.#typed(column, literal)));
    return this.#each(column, (value) => Number(expected.has(value)));
  }

  #like(column: ColumnName, pattern: string, ignoresCase: boolean): Truth {
    const { type } = this.#column(column);
    if (type !== "text")
      throw this.#error(column.at, `expected a column of texts, found ${column.name} (${type})`);
    const like = likePattern(pattern, ignoresCase);
    return this.#each(column, (value) => Number(like.test(value as string)));
  }

  #column({ name }: ColumnName): Column {
    return this.#columns.get(name)!;
  }

  #error(at: number, reason: string): Error {
    return whereError(this.#expression, at, reason);
  }

  /** A literal that has the type of its column. */
  #typed(column: ColumnName, { value, at }: Value): string | number | boolean {
    const { type } = this.#column(column);
    const expected = type === "text" ? "string" : type === "boolean" ? "boolean" : "number";
    if (typeof value === expected) return value;
    const names = { string: "a text in single quotes", number: "a number", boolean: "TRUE or FALSE" };
    throw this.#error(at, `expected ${names[expected]} for the column ${column.name}, found ${value}`);
  }

  /** Calls `test` for every value that is not null; once for each distinct text. */
  #each(name: ColumnName, test: (value: string | number | boolean) => number): Truth {
    const column = this.#column(name);
    const truth = new Uint8Array(this.#rows);
    if (column.type === "text") return eachText(column, test, truth);
    if (column.type === "boolean") {
      for (let row = 0; row < truth.length; row++) {
        const value = column.values[row]!;
        truth[row] = value === noBoolean ? unknown : test(value === 1);
      }
      return truth;
    }
    for (let row = 0; row < truth.length; row++) {
      const value = column.values[row]!;
      truth[row] = Number.isNaN(value) ? unknown : test(value);
    }
    return truth;
  }
}

function eachText({ dictionary, codes }: TextColumn, test: (value: string) => number, truth: Truth): Truth {
  const byText = Uint8Array.from(dictionary, test);
  for (let row = 0; row < truth.length; row++) {
    const code = codes[row]!;
    truth[row] = code === noText ? unknown : byText[code]!;
  }
  return truth;
}

function compare<T extends string | number | boolean>(a: T, operator: Comparison, b: T): boolean {
  switch (operator) {
    case "=":
      return a === b;
    case "<>":
      return a !== b;
    case "<":
      return a < b;
    case "<=":
      return a <= b;
    case ">":
      return a > b;
    case ">=":
      return a >= b;
  }
}

/** `%` is any text, `_` any character; a backslash before one of them means the character itself. */
function likePattern(pattern: string, ignoresCase: boolean): RegExp {
  const source = pattern.replaceAll(/\\[%_\\]|[%_]|[^%_\\]+|\\/g, (part) => {
    if (part === "%") return ".*";
    if (part === "_") return ".";
    return part.replace(/^\\(?=.)/s, "").replaceAll(/[$()*+.?[\\\]^{|}/]/g, "\\$&");
  });
  return new RegExp(`^${source}$`, ignoresCase ? "isu" : "su");
}
