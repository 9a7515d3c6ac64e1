/**
 * The names in an index folder. Those of embeddings and metadata are clip-retrieval's, with six digits always: its own
 * padding depends on the number of partitions, and readers order the files by name, so a growing folder would be
 * reordered.
 *
 * Source: clip_retrieval/clip_inference/writer.py.
 */

/** The vectors of a row: of its image, or of its caption. */
export type Side = "image" | "text";
/** Both sides. */
export const sides: readonly Side[] = ["image", "text"];

/** The folder of columns that were computed from the vectors. */
export const columnsFolder = "columns";

/** Partitions of an index, at most: what six digits can number. */
export const mostPartitions = 1_000_000;

/** The file that makes a folder an index. */
export const indexName = "index.json";
/** The file of deleted rows. */
export const tombstonesName = "deleted.bin";
/** The folder of int8 codes. */
export const codesFolder = "codes";

/** "000042" */
export function partitionName(number: number): string {
  return `${number}`.padStart(6, "0");
}

/** The folder of a side's vectors. */
export function vectorsFolder(side: Side): "img_emb" | "text_emb" {
  return side === "image" ? "img_emb" : "text_emb";
}

/** "img_emb/img_emb_000042.npy", from the index folder. */
export function vectorsPath(side: Side, number: number): string {
  const folder = vectorsFolder(side);
  return `${folder}/${folder}_${partitionName(number)}.npy`;
}

/** "metadata/metadata_000042.parquet" */
export function metadataPath(number: number): string {
  return `metadata/metadata_${partitionName(number)}.parquet`;
}

/** The commit marker: a partition exists if its marker does. */
export function markerPath(number: number): string {
  return `stats/${partitionName(number)}.json`;
}

/** The images of a partition that could not be read. */
export function failedPath(number: number): string {
  return `failed/${partitionName(number)}.parquet`;
}

/** The int8 codes that are derived from a partition's vectors. */
export function codesPath(side: Side, number: number): string {
  return `${codesFolder}/${vectorsFolder(side)}_${partitionName(number)}.i8`;
}

/** The plan whose first partition has this number. */
export function planPath(firstPartition: number): string {
  return firstPartition === 0 ? "plan.json" : `plans/${partitionName(firstPartition)}.json`;
}

/** The inputs of a partition, for a plan of single files. */
export function inputsPath(number: number): string {
  return `inputs/${partitionName(number)}.parquet`;
}
