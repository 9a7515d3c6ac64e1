/** The table of an index in LanceDB: its fields, and what it records of the vectors. */
import type { Metadata } from "../../features/features.ts";
import { parseMetadata } from "../../retrieval/index-file.ts";
import type { ColumnInfo, ColumnType } from "../../retrieval/columns.ts";
import { parseColumns } from "../../retrieval/columns.ts";
import { JsonValue } from "../../json/json-value.ts";
import { InputError } from "../../errors/input-error.ts";
import type { Arrow, LanceSchema } from "./lance-package.ts";

/** What a table records of the index that it was made from. */
export interface LanceOrigin {
  readonly image: Metadata;
  readonly text: Metadata;
  readonly isDeclared: boolean;
  /** The folder that relative paths start from; null if it is not known. */
  readonly base: string | null;
  readonly columns: readonly ColumnInfo[];
}

/** The key of the schema's metadata with the origin, as JSON. */
const originKey = "clipscope";

/** The fields that are not columns of the metadata. */
export const idField = "id";
export const vectorField = "vector";

/** LanceDB reads a dot as a field of a structure. */
export function fieldName(column: string): string {
  const name = column.replaceAll(".", "_");
  return name === idField || name === vectorField ? `metadata_${name}` : name;
}

/** Explicit, because LanceDB cannot infer the type of a column that begins with nulls. */
export function lanceSchema(arrow: Arrow, width: number, origin: LanceOrigin): object {
  const types = { text: arrow.Utf8, integer: arrow.Int64, number: arrow.Float64, boolean: arrow.Bool };
  const item = new arrow.Field("item", new arrow.Float32(), true);
  const fields = [
    new arrow.Field(idField, new arrow.Int64(), false),
    new arrow.Field(vectorField, new arrow.FixedSizeList(width, item), false),
    ...origin.columns.map(({ name, type }) => new arrow.Field(fieldName(name), new types[type](), true)),
  ];
  return new arrow.Schema(fields, new Map([[originKey, JSON.stringify(origin)]]));
}

/**
 * Reads the schema of a table, of this program or another one.
 *
 * @throws InputError if the table has no vectors of a fixed width
 */
export function readLanceSchema(
  { fields, metadata }: LanceSchema,
  where: string,
): { readonly width: number; readonly origin: LanceOrigin } {
  const vectors = fields.find(({ name }) => name === vectorField)?.type as
    { readonly listSize?: number } | undefined;
  const width = vectors?.listSize;
  if (width === undefined)
    throw new InputError(
      `${where}: expected a table with vectors of a fixed width in the column "vector", found ${fields.map(({ name }) => name).join(", ")}`,
    );
  if (!fields.some(({ name }) => name === idField))
    throw new InputError(`${where}: expected a column "id"; write the table with "clipscope index export"`);
  const json = metadata.get(originKey);
  if (json !== undefined) return { width, origin: parseOrigin(json, where) };
  const columns = fields.flatMap(({ name, type }) => {
    const known = name === idField || name === vectorField ? undefined : typeOf(type.toString());
    return known === undefined ? [] : [{ name, type: known }];
  });
  return { width, origin: { image: {}, text: {}, isDeclared: true, base: null, columns } };
}

function parseOrigin(json: string, where: string): LanceOrigin {
  const value = JsonValue.parse(json, `${where}: metadata "${originKey}"`);
  return {
    image: parseMetadata(value.at("image")),
    text: parseMetadata(value.at("text")),
    isDeclared: value.at("isDeclared").boolean(),
    base: value.at("base").isMissing ? null : value.at("base").string(),
    columns: parseColumns(value.at("columns")),
  };
}

function typeOf(arrowType: string): ColumnType | undefined {
  if (/^(Large)?Utf8$/.test(arrowType)) return "text";
  if (/^U?Int\d+$/.test(arrowType)) return "integer";
  if (/^Float\d+$/.test(arrowType)) return "number";
  return arrowType === "Bool" ? "boolean" : undefined;
}
