/** The benchmark's tables reduced to one: a row per measurement, a column per program. */
import { InputError } from "../lib/errors/input-error.ts";
import type { SectionName } from "./options.ts";
import type { Result } from "./result.ts";
import { scaleCommands } from "./sections/scale.ts";
import { cellText, type Row, type Table } from "./table.ts";

interface Measurement {
  readonly title: string;
  readonly unit: string;
  /** The section that measures it: `npm run bench -- --only SECTION`. */
  readonly section: SectionName;
  /** The table that holds it, the rows of that table, and the column. */
  readonly table: string;
  readonly where?: Row;
  readonly figure: string;
}

const imageTower = { section: "towers", table: "image" } as const;
const textTower = { section: "towers", table: "text", unit: "ms", figure: "milliseconds" } as const;
const captions = { section: "text", table: "captions", unit: "texts/s", figure: "perSecond" } as const;
const memory = { section: "memory", table: "memory", unit: "MB" } as const;
const resident = { dtype: "F32", residency: "resident" } as const;
const streamed = { dtype: "F32", residency: "streamed" } as const;
const loading = { section: "load", table: "load", unit: "s" } as const;
const wholeProcess = { section: "cold", table: "cold" } as const;
const decoding = {
  section: "preprocess",
  table: "preprocess",
  unit: "images/s",
  figure: "perSecond",
} as const;
const throughput = { section: "throughput", table: "throughput", unit: "images/s" } as const;
const scale = { section: "scale", table: "scale", unit: "MB" } as const;
const probe = { section: "probe", table: "probe" } as const;
const evaluation = { section: "probe", table: "probe-evaluation" } as const;

const measurements: readonly Measurement[] = [
  { ...imageTower, title: "image tower, 1 image", unit: "ms", where: { batch: 1 }, figure: "milliseconds" },
  { ...imageTower, title: "image tower, 8 images", unit: "ms", where: { batch: 8 }, figure: "milliseconds" },
  {
    ...imageTower,
    title: "share of the matrix rate, 1 image",
    unit: "%",
    where: { batch: 1 },
    figure: "share",
  },
  {
    ...imageTower,
    title: "share of the matrix rate, 8 images",
    unit: "%",
    where: { batch: 8 },
    figure: "share",
  },
  { ...imageTower, title: "difference, 1 image", unit: "rel. L2", where: { batch: 1 }, figure: "difference" },
  { ...textTower, title: "text tower, 1 text of 16 tokens", where: { batch: 1, tokens: 16 } },
  { ...textTower, title: "text tower, 1 text of 77 tokens", where: { batch: 1, tokens: 77 } },
  { ...textTower, title: "text tower, 32 texts of 16 tokens", where: { batch: 32, tokens: 16 } },
  { ...textTower, title: "text tower, 32 texts of 32 tokens", where: { batch: 32, tokens: 32 } },
  { ...textTower, title: "text tower, 32 texts of 77 tokens", where: { batch: 32, tokens: 77 } },
  { ...captions, title: "captions of natural length", where: { length: "natural" } },
  { ...captions, title: "captions stretched to 77 tokens", where: { length: "stretched" } },
  { ...memory, title: "memory, 1 image, resident weights", where: resident, figure: "above" },
  { ...memory, title: "memory, 1 image, streamed weights", where: streamed, figure: "above" },
  { ...memory, title: "memory, 16 images, resident weights", where: resident, figure: "aboveLarge" },
  { ...memory, title: "memory, 16 images, streamed weights", where: streamed, figure: "aboveLarge" },
  {
    ...memory,
    title: "image tower, 16 images, resident weights",
    unit: "s",
    where: resident,
    figure: "seconds",
  },
  {
    ...memory,
    title: "image tower, 16 images, streamed weights",
    unit: "s",
    where: streamed,
    figure: "seconds",
  },
  { ...loading, title: "read the image tower's file, F32", where: { dtype: "F32" }, figure: "reading" },
  { ...loading, title: "load the image tower, F32", where: { dtype: "F32" }, figure: "loading" },
  { ...loading, title: "load the image tower, F16", where: { dtype: "F16" }, figure: "loading" },
  {
    ...wholeProcess,
    title: "process, classify, demo model",
    unit: "s",
    where: { what: "classify" },
    figure: "seconds",
  },
  {
    ...wholeProcess,
    title: "process, embed, F32",
    unit: "s",
    where: { what: "embed, F32" },
    figure: "seconds",
  },
  {
    ...wholeProcess,
    title: "process, embed, F16",
    unit: "s",
    where: { what: "embed, F16" },
    figure: "seconds",
  },
  {
    ...wholeProcess,
    title: "process, embed, F32: peak memory",
    unit: "GB",
    where: { what: "embed, F32" },
    figure: "gigabytes",
  },
  { ...decoding, title: "JPEG to pixels, one thread", where: { variant: "one thread" } },
  { ...decoding, title: "JPEG to pixels", where: { variant: null } },
  { ...throughput, title: "demo model: embed JPEGs one by one", figure: "single" },
  { ...throughput, title: "demo model: embed JPEGs with embedImages", figure: "many" },
  { ...throughput, title: "demo model: memory after 1,000 JPEGs", unit: "MB", figure: "memory0" },
  { ...throughput, title: "demo model: memory after 2,000 JPEGs", unit: "MB", figure: "memory1" },
  ...scaleCommands.flatMap((command): Measurement[] => [
    { ...scale, title: `${command}: memory at 1,000 images`, where: { command }, figure: "few" },
    { ...scale, title: `${command}: memory at 10,000 images`, where: { command }, figure: "many" },
  ]),
  {
    section: "tokenizer",
    table: "tokenizer",
    title: "tokenize captions",
    unit: "texts/s",
    figure: "perSecond",
  },
  { ...probe, title: "fit a linear probe", unit: "s", figure: "seconds" },
  { ...probe, title: "fit a linear probe: memory / size of the features", unit: "×", figure: "memory" },
  { ...evaluation, title: "evaluate a probe", unit: "s", figure: "seconds" },
  { ...evaluation, title: "evaluate a probe: its product alone", unit: "s", figure: "product" },
  { ...evaluation, title: "evaluate a probe: memory beside the features", unit: "MB", figure: "megabytes" },
];

/** Programs with a separate column; the others share one, with their names in the cells. */
const columnOf: Readonly<Record<string, string>> = {
  clipscope: "clipscope",
  "clipscope, tensorflow": "clipscope",
  "clipscope, wasm": "wasm",
  PyTorch: "pytorch",
};

/**
 * One table from all results. Where several results have a table, the last one counts.
 *
 * @throws InputError that lists the measurements that no result has
 */
export function summaryTable(results: readonly Result[]): Table {
  const tables = new Map(results.flatMap((result) => result.tables).map((table) => [table.id, table]));
  const rows = measurements.map((measurement) => summaryRow(measurement, tables.get(measurement.table)));
  const missing = measurements.filter((_, at) => rows[at] === null);
  if (missing.length > 0) {
    const sections = [...new Set(missing.map(({ section }) => section))];
    throw new InputError(
      `${missing.length} of ${measurements.length} measurements are in none of the result files; run "npm run bench -- --peers --only ${sections.join(",")}" too`,
      missing.map(({ title }) => title),
    );
  }
  return {
    id: "summary",
    title: "summary",
    columns: [
      { key: "title", title: "measurement" },
      { key: "unit", title: "unit" },
      { key: "clipscope", title: "clipscope" },
      { key: "wasm", title: "clipscope on wasm" },
      { key: "pytorch", title: "PyTorch" },
      { key: "others", title: "others" },
      { key: "section", title: "section" },
    ],
    rows: rows.filter((row) => row !== null),
  };
}

/** null if the table has no figure for the measurement */
function summaryRow({ title, unit, section, where = {}, figure }: Measurement, table?: Table): Row | null {
  const cells: Record<string, string | number> = {};
  for (const row of table?.rows ?? []) {
    if (Object.entries(where).some(([key, value]) => row[key] !== value)) continue;
    const value = row[figure];
    if (typeof value !== "number") continue;
    const program = String(row["program"]);
    const column = columnOf[program];
    if (column !== undefined) cells[column] = value;
    else cells["others"] = [cells["others"], `${program} ${cellText(value)}`].filter(Boolean).join(", ");
  }
  return Object.keys(cells).length === 0 ? null : { title, unit, ...cells, section };
}
