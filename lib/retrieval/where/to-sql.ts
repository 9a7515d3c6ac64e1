/** Writes a condition as SQL for engines that filter themselves (DataFusion's dialect, as LanceDB takes it). */
import type { ColumnType } from "../columns.ts";
import type { ColumnName, Value, Where } from "./parse-where.ts";
import { whereError } from "./tokens.ts";

/** A column of an engine's table. */
export interface SqlColumn {
  /** Its name in the table. */
  readonly field: string;
  readonly type: ColumnType;
}

/**
 * @param expression that `where` was parsed from, for errors
 * @param columns by the names that conditions use
 * @throws InputError for unknown columns and values of another type; it points at the place
 */
export function whereToSql(
  where: Where,
  expression: string,
  columns: ReadonlyMap<string, SqlColumn>,
): string {
  const column = ({ name, at }: ColumnName): SqlColumn => {
    const found = columns.get(name);
    if (found !== undefined) return found;
    const names = [...columns.keys()].join(", ") || "none";
    throw whereError(expression, at, `expected a column of the table (${names}), found ${name}`);
  };
  const literal = ({ name, type }: SqlColumn & { readonly name: string }, { value, at }: Value): string => {
    const expected = type === "text" ? "string" : type === "boolean" ? "boolean" : "number";
    if (typeof value === expected) {
      if (typeof value === "string") return `'${value.replaceAll("'", "''")}'`;
      return typeof value === "boolean" ? (value ? "TRUE" : "FALSE") : numberAsSql(value);
    }
    const kinds = { string: "a text in single quotes", number: "a number", boolean: "TRUE or FALSE" };
    throw whereError(expression, at, `expected ${kinds[expected]} for the column ${name}, found ${value}`);
  };
  const operand = ({ field, type }: SqlColumn, values: readonly Value[]): string => {
    const quoted = quotedField(field);
    // An engine would round the value to the type of the column.
    const hasFraction = type === "integer" && values.some(({ value }) => !Number.isSafeInteger(value));
    return hasFraction ? `CAST(${quoted} AS DOUBLE)` : quoted;
  };
  const sql = (of: Where): string => {
    switch (of.kind) {
      case "and":
      case "or":
        return `(${sql(of.left)} ${of.kind.toUpperCase()} ${sql(of.right)})`;
      case "not":
        return `(NOT ${sql(of.of)})`;
      case "null":
        return `(${quotedField(column(of.column).field)} IS NULL)`;
      case "true": {
        const { field, type } = column(of.column);
        if (type === "boolean") return quotedField(field);
        throw whereError(
          expression,
          of.column.at,
          `expected a condition, found the column ${of.column.name} (${type})`,
        );
      }
      case "compare": {
        const found = { ...column(of.column), name: of.column.name };
        return `(${operand(found, [of.value])} ${of.operator} ${literal(found, of.value)})`;
      }
      case "in": {
        const found = { ...column(of.column), name: of.column.name };
        const values = of.values.map((value) => literal(found, value));
        return `(${operand(found, of.values)} IN (${values.join(", ")}))`;
      }
      case "like": {
        const { field, type } = column(of.column);
        if (type !== "text")
          throw whereError(
            expression,
            of.column.at,
            `expected a column of texts, found ${of.column.name} (${type})`,
          );
        const pattern = of.pattern.replaceAll("'", "''");
        return `(${quotedField(field)} ${of.ignoresCase ? "ILIKE" : "LIKE"} '${pattern}')`;
      }
    }
  };
  return sql(where);
}

function numberAsSql(value: number): string {
  return Number.isSafeInteger(value) || !Number.isInteger(value) ? `${value}` : value.toExponential();
}

function quotedField(field: string): string {
  return `\`${field.replaceAll("`", "``")}\``;
}
