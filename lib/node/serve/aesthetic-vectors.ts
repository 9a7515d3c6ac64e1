/** The vectors that raise or lower rows by how well images of a score are liked. */
import { InputError } from "../../errors/input-error.ts";
import { readVectorFile, rowBlocks } from "../retrieval/vector-file.ts";

/** 0 to 9. */
const scores = 10;

/** @returns one vector for each score @throws InputError if the file is not a matrix of ten finite rows */
export async function readAestheticVectors(path: string): Promise<Float32Array[]> {
  const file = await readVectorFile(path);
  if (file.rows !== scores) {
    throw new InputError(
      `${path}: expected ${scores} rows, one for each score from 0 to 9, found ${file.rows}`,
    );
  }
  const vectors: Float32Array[] = [];
  for await (const { values } of rowBlocks(file, 1)) vectors.push(values.slice());
  if (vectors.every((vector) => vector.every(Number.isFinite))) return vectors;
  throw new InputError(`${path}: expected finite numbers`);
}
