/** Writes a partition: vectors, metadata, failed images, and last the marker that commits it. */
import { dirname, join } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import type { ColumnInfo, MetadataRow } from "../../retrieval/columns.ts";
import { failedPath, markerPath, metadataPath, vectorsPath, type Side } from "../../retrieval/layout.ts";
import { encodeMarker, type Marker, type WrittenFile } from "../../retrieval/marker.ts";
import { makeFolder } from "../files/make-folder.ts";
import { unwritable } from "../files/output-path.ts";
import { syncFolder } from "../files/sync-folder.ts";
import { NewPartitionFile } from "./new-file.ts";
import { TableWriter } from "./table-writer.ts";
import { VectorWriter } from "./vector-writer.ts";

export interface PartitionShape {
  /** The index folder. */
  readonly folder: string;
  readonly number: number;
  readonly width: number;
  readonly sides: readonly Side[];
  readonly columns: readonly ColumnInfo[];
}

/** An image that could not be read. */
export interface FailedImage {
  readonly image_path: string;
  readonly url: string | null;
  readonly error: string;
}

const failedColumns: readonly ColumnInfo[] = (["image_path", "url", "error"] as const).map((name) => ({
  name,
  type: "text",
}));

export class PartitionWriter {
  readonly metadata: TableWriter;
  readonly #shape: PartitionShape;
  readonly #vectors: ReadonlyMap<Side, VectorWriter>;
  readonly #files: readonly NewPartitionFile[];
  readonly #failed: FailedImage[] = [];

  private constructor(
    shape: PartitionShape,
    files: readonly NewPartitionFile[],
    vectors: ReadonlyMap<Side, VectorWriter>,
    metadata: TableWriter,
  ) {
    this.#shape = shape;
    this.#files = files;
    this.#vectors = vectors;
    this.metadata = metadata;
  }

  /** @throws InputError if the folder cannot be written */
  static async create(shape: PartitionShape): Promise<PartitionWriter> {
    const { folder, number, sides, width, columns } = shape;
    const files: NewPartitionFile[] = [];
    try {
      const vectors = new Map<Side, VectorWriter>();
      for (const side of sides) {
        const file = await createFile(folder, vectorsPath(side, number));
        files.push(file);
        vectors.set(side, await VectorWriter.create(file, width));
      }
      const metadata = await createFile(folder, metadataPath(number));
      files.push(metadata);
      return new PartitionWriter(shape, files, vectors, new TableWriter(metadata, columns));
    } catch (error) {
      for (const file of files) await file.discard();
      throw error;
    }
  }

  vectors(side: Side): VectorWriter {
    return this.#vectors.get(side)!;
  }

  async append(row: MetadataRow): Promise<void> {
    await this.metadata.append(row);
  }

  fail(image: FailedImage): void {
    this.#failed.push(image);
  }

  /**
   * Completes the files and moves them to their places, the marker last. A partition without rows has no files: readers
   * of matrices do not expect empty ones.
   *
   * @param mayCommit asked before the first rename
   */
  async commit(
    of: Pick<Marker, "plan" | "backend" | "madeBy" | "seconds">,
    mayCommit: () => Promise<void> = () => Promise.resolve(),
  ): Promise<Marker> {
    const { folder, number } = this.#shape;
    const { rows } = this.metadata;
    const odd = [...this.#vectors.values()].find((vectors) => vectors.rows !== rows);
    if (odd !== undefined) throw new Error(`partition ${number}: ${odd.rows} vectors for ${rows} rows`);
    for (const vectors of this.#vectors.values()) await vectors.finish();
    await this.metadata.finish();
    const extra = this.#failed.length === 0 ? [] : [await this.#writeFailed()];
    const kept = rows === 0 ? extra : [...this.#files, ...extra];
    const files: WrittenFile[] = [];
    for (const file of kept) files.push(await file.complete());
    await mayCommit();
    for (const file of kept) await file.move();
    await this.discard();
    for (const subfolder of new Set(kept.map(({ path }) => dirname(join(folder, path)))))
      await synced(subfolder);
    const marker: Marker = {
      ...of,
      number,
      rows,
      failed: this.#failed.length,
      files,
      finished: new Date().toISOString(),
    };
    await writeMarker(folder, marker);
    return marker;
  }

  /** Deletes what is not committed. May be called twice. */
  async discard(): Promise<void> {
    for (const file of this.#files) await file.discard();
  }

  async #writeFailed(): Promise<NewPartitionFile> {
    const { folder, number } = this.#shape;
    const file = await createFile(folder, failedPath(number));
    const table = new TableWriter(file, failedColumns);
    for (const image of this.#failed) await table.append({ ...image });
    await table.finish();
    return file;
  }
}

/** Commits a partition whose files are in their places. */
export async function writeMarker(folder: string, marker: Marker): Promise<void> {
  const file = await createFile(folder, markerPath(marker.number));
  try {
    await file.write(new TextEncoder().encode(encodeMarker(marker)));
    await file.complete();
    await file.move();
  } catch (error) {
    await file.discard();
    throw error;
  }
  await synced(dirname(join(folder, markerPath(marker.number))));
}

async function createFile(folder: string, path: string): Promise<NewPartitionFile> {
  await makeFolder(dirname(join(folder, path)));
  return NewPartitionFile.create(folder, path);
}

async function synced(folder: string): Promise<void> {
  await syncFolder(folder).catch((error: unknown) => {
    throw error instanceof InputError ? error : unwritable(folder, error);
  });
}
