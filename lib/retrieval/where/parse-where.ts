/**
 * Parses filter expressions, a part of SQL:
 *
 * condition := column (= | <> | < | <= | > | >=) value | column [NOT] IN (value, …) | column [NOT] LIKE 'pattern' |
 * column [NOT] BETWEEN value AND value | column IS [NOT] NULL | boolean column
 *
 * and conditions with AND, OR, NOT and parentheses. A column is a name, or any text in double quotes.
 */
import { tokenize, whereError, type Token } from "./tokens.ts";

export type Comparison = "=" | "<>" | "<" | "<=" | ">" | ">=";

/** A literal, and its place in the expression. */
export interface Value {
  readonly value: string | number | boolean;
  readonly at: number;
}

/** A column, and its place in the expression. */
export interface ColumnName {
  readonly name: string;
  readonly at: number;
}

export type Where =
  | { readonly kind: "and" | "or"; readonly left: Where; readonly right: Where }
  | { readonly kind: "not"; readonly of: Where }
  | {
      readonly kind: "compare";
      readonly column: ColumnName;
      readonly operator: Comparison;
      readonly value: Value;
    }
  | { readonly kind: "in"; readonly column: ColumnName; readonly values: readonly Value[] }
  | {
      readonly kind: "like";
      readonly column: ColumnName;
      readonly pattern: string;
      readonly ignoresCase: boolean;
    }
  | { readonly kind: "null"; readonly column: ColumnName }
  | { readonly kind: "true"; readonly column: ColumnName };

const comparisons: Readonly<Record<string, Comparison>> = {
  "=": "=",
  "==": "=",
  "<>": "<>",
  "!=": "<>",
  "<": "<",
  "<=": "<=",
  ">": ">",
  ">=": ">=",
};

/** Nested parentheses and NOTs, at most: a deeper expression would exceed the stack. */
const deepest = 100;

/** @throws InputError that points at the character where the expression goes wrong */
export function parseWhere(expression: string): Where {
  return new Parser(expression).parse();
}

class Parser {
  readonly #expression: string;
  readonly #tokens: readonly Token[];
  #at = 0;
  #depth = 0;

  constructor(expression: string) {
    this.#expression = expression;
    this.#tokens = tokenize(expression);
  }

  parse(): Where {
    const where = this.#or();
    if (this.#next.kind !== "end") throw this.#expected("AND, OR or the end");
    return where;
  }

  get #next(): Token {
    return this.#tokens[this.#at]!;
  }

  #expected(what: string): Error {
    const { kind, at } = this.#next;
    const end = this.#tokens[this.#at + 1]?.at ?? at;
    const found = kind === "end" ? "the end" : this.#expression.slice(at, end).trim();
    return whereError(this.#expression, at, `expected ${what}, found ${found}`);
  }

  /** Whether the next token is this word or symbol, which is then taken. */
  #take(value: string): boolean {
    const { kind, value: next } = this.#next;
    if ((kind !== "word" && kind !== "symbol") || next !== value) return false;
    this.#at += 1;
    return true;
  }

  #require(value: string): void {
    if (!this.#take(value)) throw this.#expected(value);
  }

  #or(): Where {
    let left = this.#and();
    while (this.#take("OR")) left = { kind: "or", left, right: this.#and() };
    return left;
  }

  #and(): Where {
    let left = this.#not();
    while (this.#take("AND")) left = { kind: "and", left, right: this.#not() };
    return left;
  }

  #not(): Where {
    if (++this.#depth > deepest) throw this.#expected(`at most ${deepest} nested conditions`);
    const where = this.#take("NOT") ? ({ kind: "not", of: this.#not() } as const) : this.#primary();
    this.#depth -= 1;
    return where;
  }

  #primary(): Where {
    if (this.#take("(")) {
      const inner = this.#or();
      this.#require(")");
      return inner;
    }
    const { kind, value, at } = this.#next;
    if (kind !== "name") throw this.#expected("a column");
    this.#at += 1;
    return this.#condition({ name: value, at });
  }

  #condition(column: ColumnName): Where {
    if (this.#take("IS")) {
      const isNegated = this.#take("NOT");
      this.#require("NULL");
      return negatedIf(isNegated, { kind: "null", column });
    }
    const { kind, value } = this.#next;
    const operator = kind === "symbol" && Object.hasOwn(comparisons, value) ? comparisons[value] : undefined;
    if (operator !== undefined) {
      this.#at += 1;
      return { kind: "compare", column, operator, value: this.#value() };
    }
    const isNegated = this.#take("NOT");
    if (this.#take("IN")) return negatedIf(isNegated, { kind: "in", column, values: this.#list() });
    if (this.#take("BETWEEN")) {
      const from = this.#value();
      this.#require("AND");
      const compare = (operator: Comparison, value: Value): Where => ({
        kind: "compare",
        column,
        operator,
        value,
      });
      const to = this.#value();
      return negatedIf(isNegated, { kind: "and", left: compare(">=", from), right: compare("<=", to) });
    }
    for (const word of ["LIKE", "ILIKE"]) {
      if (!this.#take(word)) continue;
      const { kind: kindOfPattern, value: pattern } = this.#next;
      if (kindOfPattern !== "text") throw this.#expected("a pattern in single quotes");
      this.#at += 1;
      return negatedIf(isNegated, { kind: "like", column, pattern, ignoresCase: word === "ILIKE" });
    }
    if (isNegated) throw this.#expected("IN, LIKE or BETWEEN");
    return { kind: "true", column };
  }

  #list(): Value[] {
    this.#require("(");
    const values = [this.#value()];
    while (this.#take(",")) values.push(this.#value());
    this.#require(")");
    return values;
  }

  #value(): Value {
    const { kind, value, at } = this.#next;
    if (kind === "number" || kind === "text") {
      this.#at += 1;
      return { value, at };
    }
    if (this.#take("TRUE")) return { value: true, at };
    if (this.#take("FALSE")) return { value: false, at };
    throw this.#expected(
      kind === "word" && value === "NULL"
        ? "a value (use IS NULL)"
        : "a number, a text in single quotes, TRUE or FALSE",
    );
  }
}

function negatedIf(isNegated: boolean, of: Where): Where {
  return isNegated ? { kind: "not", of } : of;
}
