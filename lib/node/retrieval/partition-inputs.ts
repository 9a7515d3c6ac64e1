/** The inputs of a planned partition: its images, and the metadata of each. */
import { stat } from "node:fs/promises";
import { join, resolve } from "node:path";
import { InputError } from "../../errors/input-error.ts";
import { TryAgainError } from "../../errors/try-again-error.ts";
import type { Cell, ColumnInfo, MetadataRow } from "../../retrieval/columns.ts";
import { fitRow } from "../../retrieval/flatten.ts";
import type { PlannedFile, PlannedInputs, PlannedPartition } from "../../retrieval/plan-file.ts";
import type { ImageList } from "../../tasks/image-list.ts";
import type { StoredImage } from "../../tasks/image-source.ts";
import { FileSource, unreadable } from "../files/file-source.ts";
import { SourceList } from "../images/source-list.ts";
import { listSamples } from "../images/webdataset.ts";
import { sha256OfFile } from "./new-file.ts";
import { readParquetFile, readParquetRows, type ParquetFile } from "./parquet-file.ts";
import type { FailedImage } from "./partition-writer.ts";
import { flattenText } from "./planned-images.ts";
import { longestDocument } from "./planned-shards.ts";
import { rowsPerGroup } from "./table-writer.ts";

export interface PartitionInputs {
  readonly images: ImageList<StoredImage>;
  /** Inputs that have no image to read, with the reason. */
  readonly failed: readonly FailedImage[];
  /** The metadata of an input. Called in ascending order. */
  row(index: number): Promise<MetadataRow>;
  close(): Promise<void>;
}

/**
 * @param base the folder that relative paths start from
 * @throws TryAgainError if a shard cannot be opened; InputError if it was changed since the plan was made
 */
export function openInputs(
  folder: string,
  partition: PlannedPartition,
  base: string,
  columns: readonly ColumnInfo[],
): Promise<PartitionInputs> {
  return "inputs" in partition
    ? ListInputs.open(folder, partition.inputs, base)
    : ShardInputs.open(partition.shards, base, columns);
}

class ListInputs implements PartitionInputs {
  readonly images: SourceList<string>;
  readonly failed: readonly FailedImage[] = [];
  readonly #file: ParquetFile;
  #rows: readonly MetadataRow[] = [];
  #start = 0;

  private constructor(images: SourceList<string>, file: ParquetFile) {
    this.images = images;
    this.#file = file;
  }

  static async open(folder: string, inputs: PlannedInputs, base: string): Promise<ListInputs> {
    const path = join(folder, inputs.file);
    const file = await readParquetFile(path);
    if ((await sha256OfFile(path)) !== inputs.sha256) {
      throw new InputError(`${path}: was changed since the plan was made; bring it back, or plan again`);
    }
    const images = new SourceList<string>();
    for (let start = 0; start < file.rows; start += rowsPerGroup) {
      const rows = await readParquetRows(file, start, Math.min(start + rowsPerGroup, file.rows), [
        "image_path",
      ]);
      for (const { image_path: image } of rows) images.add(resolve(base, String(image)));
    }
    return new ListInputs(images, file);
  }

  async row(index: number): Promise<MetadataRow> {
    if (index >= this.#start + this.#rows.length || index < this.#start) {
      this.#start = index - (index % rowsPerGroup);
      this.#rows = await readParquetRows(
        this.#file,
        this.#start,
        Math.min(this.#start + rowsPerGroup, this.#file.rows),
      );
    }
    return this.#rows[index - this.#start]!;
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Where the caption and the document of a sample are: four numbers each, sizes of -1 where there are none. */
const numbersPerSample = 4;

interface OpenShard {
  readonly planned: PlannedFile;
  /** The number of its first sample. */
  readonly first: number;
  readonly parts: Float64Array;
}

class ShardInputs implements PartitionInputs {
  readonly images = new SourceList<Exclude<StoredImage, string>>();
  readonly failed: FailedImage[] = [];
  readonly #shards: OpenShard[] = [];
  readonly #types: ReadonlyMap<string, ColumnInfo["type"]>;
  readonly #base: string;
  #current = 0;
  #file: FileSource | null = null;

  private constructor(base: string, columns: readonly ColumnInfo[]) {
    this.#base = base;
    this.#types = new Map(columns.map(({ name, type }) => [name, type]));
  }

  static async open(
    shards: readonly PlannedFile[],
    base: string,
    columns: readonly ColumnInfo[],
  ): Promise<ShardInputs> {
    const inputs = new ShardInputs(base, columns);
    for (const shard of shards) await inputs.#add(shard);
    return inputs;
  }

  async #add(planned: PlannedFile): Promise<void> {
    const place = resolve(this.#base, planned.path);
    const found = await stat(place).catch((error: unknown) => {
      const { message } = unreadable(planned.path, error);
      throw new TryAgainError(`${message}; it was there when the plan was made`, [], { cause: error });
    });
    if (found.size !== planned.size || Math.floor(found.mtimeMs) !== planned.mtime) {
      throw new InputError(
        `${planned.path}: was changed since the plan was made; bring it back, or plan again in another folder`,
      );
    }
    const first = this.images.length;
    const parts: number[] = [];
    const onError = ({ message }: InputError): void => {
      this.failed.push({ image_path: planned.path, url: null, error: named(message, place, planned.path) });
    };
    try {
      for (const { image, parts: all } of await listSamples(place, onError)) {
        this.images.add({ ...image, name: named(image.name, place, planned.path) });
        for (const ending of ["txt", "json"]) {
          const part = all.get(ending);
          parts.push(part?.offset ?? 0, part === undefined ? -1 : part.size);
        }
      }
    } catch (error) {
      if (!(error instanceof InputError) || error.cause !== undefined) throw error;
      // A damaged shard would fail again in every run; its samples are lost, those of others are not.
      onError(error);
      return;
    }
    this.#shards.push({ planned, first, parts: Float64Array.from(parts) });
  }

  async row(index: number): Promise<MetadataRow> {
    while (this.#shards[this.#current + 1] !== undefined && index >= this.#shards[this.#current + 1]!.first) {
      await this.close();
      this.#current += 1;
    }
    const { planned, first, parts } = this.#shards[this.#current]!;
    this.#file ??= await FileSource.open(resolve(this.#base, planned.path));
    const image = this.images.at(index)!;
    const [captionAt, captionSize, jsonAt, jsonSize] = parts.subarray(
      (index - first) * numbersPerSample,
      (index - first + 1) * numbersPerSample,
    ) as unknown as [number, number, number, number];
    const caption = this.#text(captionAt, captionSize);
    const json = this.#text(jsonAt, jsonSize);
    const cells = json === null ? new Map<string, Cell>() : flattenText(json);
    const path = image.name.slice(planned.path.length + 1);
    const fixed = {
      image_path: image.name,
      caption: caption?.trim() ?? null,
      key: /^(?:.*\/)?[^./]+/s.exec(path)?.[0] ?? path,
      source: planned.path,
      offset: image.offset,
      bytes: image.size,
      mtime: planned.mtime,
    };
    return fitRow(fixed, cells, this.#types);
  }

  #text(offset: number, size: number): string | null {
    if (size < 0 || size > longestDocument) return null;
    return Buffer.from(this.#file!.readSync(offset, size)).toString();
  }

  async close(): Promise<void> {
    await this.#file?.close();
    this.#file = null;
  }
}

/** A name or message with the path as it was given, so that it does not depend on the working folder. */
function named(text: string, place: string, given: string): string {
  return text.replace(place, () => given);
}
