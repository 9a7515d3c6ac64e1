/**
 * Columns that were computed from the vectors of an index. Each set is in a folder of its own, with a file for each
 * partition whose rows are those of the partition.
 */
import { InputError } from "../errors/input-error.ts";
import type { JsonValue } from "../json/json-value.ts";
import { parseColumns, type ColumnInfo } from "./columns.ts";
import { columnsFolder } from "./layout.ts";
import { reservedWords } from "./where/tokens.ts";

/** A set of columns that belongs to an index. */
export interface ColumnSet {
  /** The name of its first column; the others are this name, a dot, and more. */
  readonly name: string;
  /** Its folder in the index folder, with the layout of a small index: `metadata/` and `stats/`. */
  readonly folder: string;
  readonly columns: readonly ColumnInfo[];
  /** What its values are, for a reader: "similarity to …". */
  readonly description: string;
  /** The SHA-256 of all that its values depend on besides the vectors. */
  readonly recipe: string;
  /** The partitions that have the columns; rows of others are null. */
  readonly partitions: readonly number[];
}

/** Letters, digits and _: a condition can name the column without quotes, and every file system the folder. */
const namePattern = /^[\p{L}_][\p{L}\p{N}_]{0,59}$/u;

/** @throws InputError for a name that a set cannot have */
export function assertSetName(name: string): void {
  if (reservedWords.has(name.toUpperCase()))
    throw new InputError(`columns: ${name} is a word of conditions; choose another name`);
  if (namePattern.test(name)) return;
  throw new InputError(
    `columns: expected a name of at most 60 letters, digits and _ that begins with a letter, found ${JSON.stringify(name)}`,
  );
}

/** The folder of a set. */
export function setFolder(name: string, recipe: string): string {
  return `${columnsFolder}/${name}-${recipe.slice(0, 12)}`;
}

/**
 * Whether an index can have the set, which replaces one of the same name.
 *
 * @throws InputError if another column of the index has the name of one of its columns
 */
export function assertFreeNames(
  { name, columns }: Pick<ColumnSet, "name" | "columns">,
  known: readonly ColumnInfo[],
  sets: readonly ColumnSet[],
): void {
  const others = sets.filter((set) => set.name !== name).flatMap((set) => set.columns);
  const taken = new Set([...known, ...others].map((column) => column.name));
  const double = columns.find((column) => taken.has(column.name));
  if (double === undefined) return;
  throw new InputError(`columns: the index has a column ${double.name} already; choose another name`);
}

/** @throws InputError for a list that does not have this form */
export function parseColumnSets(value: JsonValue): ColumnSet[] {
  if (value.isMissing) return [];
  return value.items().map((set) => ({
    name: set.at("name").string(),
    folder: set.at("folder").string(),
    columns: parseColumns(set.at("columns")),
    description: set.at("description").string(),
    recipe: set.at("recipe").string(),
    partitions: set.at("partitions").integers(0),
  }));
}
