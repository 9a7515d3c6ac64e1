/**
 * Conditions on metadata columns, in SQL's syntax: comparisons, `IN`, `LIKE`, `IS NULL`, `AND`, `OR`, `NOT` and
 * parentheses. Names with other characters than letters, digits and _ stand between double quotes, texts between single
 * ones.
 */
import { InputError } from "../../errors/input-error.ts";

export type Literal = string | number | boolean;
export type Comparison = "=" | "!=" | "<" | "<=" | ">" | ">=";

export type Expression =
  | { readonly kind: "compare"; readonly column: string; readonly by: Comparison; readonly with: Literal }
  | { readonly kind: "in"; readonly column: string; readonly values: readonly Literal[] }
  | { readonly kind: "like"; readonly column: string; readonly pattern: string }
  | { readonly kind: "null"; readonly column: string }
  | { readonly kind: "not"; readonly of: Expression }
  | { readonly kind: "and" | "or"; readonly of: readonly Expression[] };

interface Token {
  readonly kind: "name" | "word" | "text" | "number" | "symbol" | "end";
  readonly text: string;
  readonly at: number;
}

const pattern =
  /\s*(?:"((?:[^"]|"")*)"|'((?:[^']|'')*)'|(-?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?)|([A-Za-z_\u0080-\uffff][\w.\u0080-\uffff]*)|(<=|>=|!=|<>|[=<>(),]))/iy;

function tokensOf(text: string): Token[] {
  const tokens: Token[] = [];
  let at = 0;
  while (text.slice(at).trim() !== "") {
    pattern.lastIndex = at;
    const found = pattern.exec(text);
    if (found === null) throw failure(text, at, "a column, a value or an operator");
    const [whole, name, literal, number, word, symbol] = found;
    const token = { at, text: "" };
    if (name !== undefined) tokens.push({ ...token, kind: "name", text: name.replaceAll('""', '"') });
    else if (literal !== undefined)
      tokens.push({ ...token, kind: "text", text: literal.replaceAll("''", "'") });
    else if (number !== undefined) tokens.push({ ...token, kind: "number", text: number });
    else if (word !== undefined) tokens.push({ ...token, kind: "word", text: word });
    else tokens.push({ ...token, kind: "symbol", text: symbol! });
    at += whole.length;
  }
  return [...tokens, { kind: "end", text: "", at: text.length }];
}

function failure(text: string, at: number, expected: string): InputError {
  const rest = text.slice(at).trim();
  const found = rest === "" ? "the end" : JSON.stringify(rest.slice(0, 30));
  return new InputError(
    `--where: expected ${expected}, found ${found} in ${JSON.stringify(text.slice(0, 200))}`,
  );
}

/** Nested parentheses and NOTs, at most. */
const deepest = 50;

/** @throws InputError that says where it is not a condition */
export function parseWhere(text: string): Expression {
  return new Parser(text).whole();
}

class Parser {
  readonly #text: string;
  readonly #tokens: readonly Token[];
  #next = 0;

  constructor(text: string) {
    this.#text = text;
    this.#tokens = tokensOf(text);
  }

  whole(): Expression {
    const expression = this.#any(0);
    if (this.#token.kind !== "end") throw this.#expected("AND, OR or the end");
    return expression;
  }

  #any(depth: number): Expression {
    return this.#joined("or", () => this.#joined("and", () => this.#one(depth)));
  }

  #joined(kind: "and" | "or", part: () => Expression): Expression {
    const of = [part()];
    while (this.#takeWord(kind)) of.push(part());
    return of.length === 1 ? of[0]! : { kind, of };
  }

  #one(depth: number): Expression {
    if (depth > deepest) throw this.#expected(`at most ${deepest} levels`);
    if (this.#takeWord("not")) return { kind: "not", of: this.#one(depth + 1) };
    if (this.#takeSymbol("(")) {
      const inner = this.#any(depth + 1);
      if (!this.#takeSymbol(")")) throw this.#expected(")");
      return inner;
    }
    return this.#condition();
  }

  #condition(): Expression {
    const { kind, text: column } = this.#token;
    if (kind !== "name" && kind !== "word") throw this.#expected("the name of a column");
    this.#next += 1;
    if (this.#takeWord("is")) {
      const isNot = this.#takeWord("not");
      if (!this.#takeWord("null")) throw this.#expected("NULL");
      const condition: Expression = { kind: "null", column };
      return isNot ? { kind: "not", of: condition } : condition;
    }
    const isNot = this.#takeWord("not");
    const condition = this.#inOrLike(column) ?? (isNot ? null : this.#comparison(column));
    if (condition === null)
      throw this.#expected(isNot ? "IN or LIKE" : "=, !=, <, <=, >, >=, IN, LIKE or IS");
    return isNot ? { kind: "not", of: condition } : condition;
  }

  #inOrLike(column: string): Expression | null {
    if (this.#takeWord("like")) {
      const value = this.#literal();
      if (typeof value !== "string") throw this.#expected("a text");
      return { kind: "like", column, pattern: value };
    }
    if (!this.#takeWord("in")) return null;
    if (!this.#takeSymbol("(")) throw this.#expected("(");
    const values = [this.#literal()];
    while (this.#takeSymbol(",")) values.push(this.#literal());
    if (!this.#takeSymbol(")")) throw this.#expected(")");
    return { kind: "in", column, values };
  }

  #comparison(column: string): Expression | null {
    const { kind, text } = this.#token;
    if (kind !== "symbol" || !/^[=<>!]/.test(text)) return null;
    this.#next += 1;
    const by = (text === "<>" ? "!=" : text) as Comparison;
    return { kind: "compare", column, by, with: this.#literal() };
  }

  #literal(): Literal {
    const { kind, text } = this.#token;
    const isBoolean = kind === "word" && /^(true|false)$/i.test(text);
    if (kind !== "text" && kind !== "number" && !isBoolean)
      throw this.#expected("a number, true, false or a text between single quotes");
    this.#next += 1;
    if (kind === "text") return text;
    return kind === "number" ? Number(text) : text.toLowerCase() === "true";
  }

  get #token(): Token {
    return this.#tokens[this.#next]!;
  }

  #takeWord(word: string): boolean {
    const { kind, text } = this.#token;
    if (kind !== "word" || text.toLowerCase() !== word) return false;
    this.#next += 1;
    return true;
  }

  #takeSymbol(symbol: string): boolean {
    if (this.#token.kind !== "symbol" || this.#token.text !== symbol) return false;
    this.#next += 1;
    return true;
  }

  #expected(what: string): InputError {
    return failure(this.#text, this.#token.at, what);
  }
}

/** The columns that a condition names. */
export function columnsIn(expression: Expression): Set<string> {
  switch (expression.kind) {
    case "not":
      return columnsIn(expression.of);
    case "and":
    case "or":
      return new Set(expression.of.flatMap((of) => [...columnsIn(of)]));
    default:
      return new Set([expression.column]);
  }
}
