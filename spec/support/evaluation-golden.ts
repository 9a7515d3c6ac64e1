/** The golden of the metrics of evaluations, from tools/golden/evaluation.py. */
import { readFile } from "node:fs/promises";
import type { Rows } from "../../lib/features/features.ts";
import { JsonValue } from "../../lib/json/json-value.ts";
import { FileSource } from "../../lib/node/files/file-source.ts";
import { SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import { fixture } from "./paths.ts";

/** One case: random embeddings, what they belong to, and CLIP_benchmark's figures. */
export interface EvaluationCase {
  readonly name: string;
  readonly case: JsonValue;
  readonly images: Rows;
  readonly texts: Rows;
  /** CLIP_benchmark's figures; null for its NaN. */
  readonly metrics: Readonly<Record<string, number | null>>;
  /** The figures of a stable sort. */
  readonly stable: Readonly<Record<string, number | null>>;
}

/** All cases of a kind: "accuracy", "multilabel", "retrieval", "selection". */
export async function evaluationCases(kind: string): Promise<EvaluationCase[]> {
  const path = fixture("eval/metrics.json");
  const golden = JsonValue.parse(await readFile(path), path);
  const file = await SafetensorsFile.open(await FileSource.open(fixture("eval/metrics.safetensors")));
  try {
    const rows = async (name: string): Promise<Rows> => {
      const [count = 0, width = 0] = file.tensors.get(name)!.shape;
      return { values: new Float32Array((await file.read(name)).slice().buffer), rows: count, width };
    };
    const cases = golden
      .at("cases")
      .entries()
      .filter(([, one]) => one.at("kind").string() === kind);
    return await Promise.all(
      cases.map(async ([name, one]) => ({
        name,
        case: one,
        images: await rows(`${name}.images`),
        texts: await rows(`${name}.texts`),
        metrics: one.at("metrics").object() as Record<string, number | null>,
        stable: one.at("stable").or({}).object() as Record<string, number | null>,
      })),
    );
  } finally {
    await file.close();
  }
}

/** The cosine similarity of each row with each column, in float64. */
export function cosineMatrix(rows: Rows, columns: Rows): number[][] {
  const unit = ({ values, width }: Rows, row: number): number[] => {
    const vector = [...values.subarray(row * width, (row + 1) * width)];
    const norm = Math.hypot(...vector);
    return vector.map((value) => value / norm);
  };
  const others = Array.from({ length: columns.rows }, (_, c) => unit(columns, c));
  return Array.from({ length: rows.rows }, (_, r) => {
    const own = unit(rows, r);
    return others.map((other) => other.reduce((sum, value, i) => sum + value * own[i]!, 0));
  });
}
