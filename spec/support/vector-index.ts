/** Indexes of made-up vectors for specs. */
import { mkdirSync } from "node:fs";
import { writeIndexFile } from "../../lib/node/retrieval/change-index.ts";
import { PartitionWriter } from "../../lib/node/retrieval/partition-writer.ts";
import type { ColumnInfo } from "../../lib/retrieval/columns.ts";

/** Uniform and normal numbers, the same for the same seed. */
export function randomNumbers(seed: number): {
  readonly uniform: () => number;
  readonly normal: () => number;
} {
  let state = seed >>> 0 || 1;
  const uniform = (): number => {
    state = (Math.imul(state, 1664525) + 1013904223) >>> 0;
    return (state + 0.5) / 2 ** 32;
  };
  const normal = (): number => Math.sqrt(-2 * Math.log(uniform())) * Math.cos(2 * Math.PI * uniform());
  return { uniform, normal };
}

/** Divides each row by its norm. @param values [rows, width] */
export function normalised(values: Float32Array, width: number): Float32Array {
  for (let at = 0; at < values.length; at += width) {
    const row = values.subarray(at, at + width);
    const norm = Math.hypot(...row);
    for (let i = 0; i < width; i++) row[i]! /= norm;
  }
  return values;
}

/** Writes an index of images that do not exist: "0.jpg" and so on, with the number as `bytes`. */
export async function writeVectorIndex(
  path: string,
  values: Float32Array,
  width: number,
  rowsPerPartition: number,
): Promise<string> {
  mkdirSync(path, { recursive: true });
  const columns: ColumnInfo[] = [
    { name: "image_path", type: "text" },
    { name: "bytes", type: "integer" },
  ];
  const rows = values.length / width;
  const partitions: { number: number; rows: number }[] = [];
  for (let start = 0, number = 0; start < rows; start += rowsPerPartition, number++) {
    const end = Math.min(rows, start + rowsPerPartition);
    const writer = await PartitionWriter.create({ folder: path, number, width, sides: ["image"], columns });
    await writer.vectors("image").append(values.slice(start * width, end * width));
    for (let id = start; id < end; id++) await writer.append({ image_path: `${id}.jpg`, bytes: id });
    await writer.commit({ plan: "adopted:made-up", backend: "none", madeBy: "a spec", seconds: 0 });
    partitions.push({ number, rows: end - start });
  }
  await writeIndexFile(path, {
    ...{ generation: 0, width, origin: {}, textOrigin: null, isAdopted: true, columns, columnSets: [] },
    ...{ base: path, plans: [], partitions, next: partitions.length },
  });
  return path;
}
