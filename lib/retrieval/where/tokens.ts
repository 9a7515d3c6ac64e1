/** The tokens of a filter expression, each with its place. */
import { InputError } from "../../errors/input-error.ts";

export type Token =
  | { readonly kind: "word" | "symbol" | "name" | "text"; readonly value: string; readonly at: number }
  | { readonly kind: "number"; readonly value: number; readonly at: number }
  | { readonly kind: "end"; readonly value: ""; readonly at: number };

/** Words of the language, in any case. A column of such a name is written in double quotes. */
export const reservedWords: ReadonlySet<string> = new Set(
  "AND OR NOT IN LIKE ILIKE IS NULL BETWEEN TRUE FALSE".split(" "),
);

const pattern =
  /\s*(?:(?<number>[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:e[-+]?\d+)?(?![\w.]))|(?<word>[\p{L}_][\p{L}\p{N}_.]*)|'(?<text>(?:[^']|'')*)'|"(?<name>(?:[^"]|"")*)"|(?<symbol><=|>=|<>|!=|==|[=<>(),]))/uy;

/** @throws InputError that points at the character that begins no token */
export function tokenize(expression: string): Token[] {
  const tokens: Token[] = [];
  const matcher = new RegExp(pattern);
  const end = expression.trimEnd().length;
  while (matcher.lastIndex < end) {
    const from = matcher.lastIndex;
    const match = matcher.exec(expression);
    const at = from + /^\s*/.exec(expression.slice(from))![0].length;
    if (match === null) throw unexpected(expression, at);
    const { number, word, text, name, symbol } = match.groups!;
    if (number !== undefined) tokens.push({ kind: "number", value: Number(number), at });
    else if (text !== undefined) tokens.push({ kind: "text", value: text.replaceAll("''", "'"), at });
    else if (name !== undefined) tokens.push({ kind: "name", value: name.replaceAll('""', '"'), at });
    else if (symbol !== undefined) tokens.push({ kind: "symbol", value: symbol, at });
    else if (reservedWords.has(word!.toUpperCase()))
      tokens.push({ kind: "word", value: word!.toUpperCase(), at });
    else tokens.push({ kind: "name", value: word!, at });
  }
  return [...tokens, { kind: "end", value: "", at: end }];
}

function unexpected(expression: string, at: number): InputError {
  const character = String.fromCodePoint(expression.codePointAt(at)!);
  const reason =
    character === "'" || character === '"'
      ? `the quote ${character} is not closed`
      : `expected a column, a value or an operator, found ${character}`;
  return whereError(expression, at, reason);
}

/** An error that points at a character of the expression. */
export function whereError(expression: string, at: number, reason: string): InputError {
  return new InputError(`where: ${reason}, at character ${at + 1}`, [expression, `${" ".repeat(at)}^`]);
}
