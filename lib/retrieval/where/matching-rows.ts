/**
 * Evaluates a condition over decoded columns, a column at a time. As in SQL a condition on a null is neither true nor
 * false, `NOT` of it neither, and only rows for which the whole is true match.
 */
import { InputError } from "../../errors/input-error.ts";
import { noBoolean, noText, type Column } from "../columns.ts";
import type { Comparison, Expression, Literal } from "./expression.ts";

/** Truth of each row: 0 false, 1 true, 2 unknown. */
type Truths = Uint8Array;
const unknown = 2;

/**
 * @param columns those that the condition names
 * @returns 1 for each row that matches, else 0
 * @throws InputError for a comparison with a value of another type than the column's
 */
export function matchingRows(
  expression: Expression,
  columns: ReadonlyMap<string, Column>,
  rows: number,
): Uint8Array {
  return truthsOf(expression, columns, rows).map((truth) => (truth === 1 ? 1 : 0));
}

function truthsOf(expression: Expression, columns: ReadonlyMap<string, Column>, rows: number): Truths {
  switch (expression.kind) {
    case "not":
      return truthsOf(expression.of, columns, rows).map((truth) => (truth === unknown ? unknown : 1 - truth));
    case "and":
    case "or": {
      const decisive = expression.kind === "and" ? 0 : 1;
      const truths = expression.of.map((of) => truthsOf(of, columns, rows));
      return truths.reduce((all, more) =>
        all.map((truth, row) => {
          const other = more[row]!;
          if (truth === decisive || other === decisive) return decisive;
          return truth === unknown || other === unknown ? unknown : 1 - decisive;
        }),
      );
    }
    default: {
      const column = columns.get(expression.column)!;
      if (expression.kind === "null") return cells(column, (cell) => cell === null, true);
      return cells(column, predicateOf(expression, column), false);
    }
  }
}

type Simple = Extract<Expression, { readonly kind: "compare" | "in" | "like" }>;

function predicateOf(expression: Simple, column: Column): (cell: Literal | null) => boolean {
  const check = (value: Literal): Literal => checked(value, column, expression.column);
  switch (expression.kind) {
    case "like": {
      check(expression.pattern);
      const like = likeOf(expression.pattern);
      return (cell) => like.test(String(cell));
    }
    case "in": {
      const values = new Set(expression.values.map(check));
      return (cell) => values.has(cell!);
    }
    case "compare": {
      const value = check(expression.with);
      return (cell) => compare(cell!, expression.by, value);
    }
  }
}

function compare(cell: Literal, by: Comparison, value: Literal): boolean {
  switch (by) {
    case "=":
      return cell === value;
    case "!=":
      return cell !== value;
    case "<":
      return cell < value;
    case "<=":
      return cell <= value;
    case ">":
      return cell > value;
    case ">=":
      return cell >= value;
  }
}

/** `%` stands for any text, `_` for one character; upper and lower case differ. */
function likeOf(pattern: string): RegExp {
  const source = Array.from(pattern, (character) => {
    if (character === "%") return ".*";
    return character === "_" ? "." : character.replace(/[\\^$.*+?()[\]{}|/]/u, "\\$&");
  });
  return new RegExp(`^${source.join("")}$`, "su");
}

function checked(value: Literal, { type }: Column, name: string): Literal {
  const expected = type === "text" ? "string" : type === "boolean" ? "boolean" : "number";
  if (typeof value === expected) return value;
  const words = { string: "a text between single quotes", boolean: "true or false", number: "a number" };
  throw new InputError(
    `--where: the column ${JSON.stringify(name)} is compared with ${words[expected]}, found ${JSON.stringify(value)}`,
  );
}

/** @param ofNull whether the predicate is asked about nulls too; else they are unknown */
function cells(column: Column, predicate: (cell: Literal | null) => boolean, ofNull: boolean): Truths {
  const nullTruth = ofNull ? Number(predicate(null)) : unknown;
  switch (column.type) {
    case "text": {
      // Each distinct text is asked about once.
      const truths = column.dictionary.map((text) => Number(predicate(text)));
      return Uint8Array.from(column.codes, (code) => (code === noText ? nullTruth : truths[code]!));
    }
    case "boolean": {
      const truths = [false, true].map((value) => Number(predicate(value)));
      return column.values.map((value) => (value === noBoolean ? nullTruth : truths[value]!));
    }
    default:
      return Uint8Array.from(column.values, (value) =>
        Number.isNaN(value) ? nullTruth : Number(predicate(value)),
      );
  }
}
