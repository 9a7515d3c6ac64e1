/**
 * Embeddings of texts: each text is embedded once, with texts of similar length, and kept in features files.
 *
 * A folder holds the files of one text tower on one backend. Each file records its texts, so that a later evaluation
 * finds any text that an earlier one embedded. The name of a file is a digest of its texts and their token ids: files that
 * another tokenizer made are not used.
 */
import type { Clip } from "../../clip/clip.ts";
import { sha256OfJson } from "../../features/digest.ts";
import { embedTextsToFile } from "../../features/embed-to-file.ts";
import { compareCodePoints } from "../../features/code-points.ts";
import { decodeFeatures } from "../../features/read-features.ts";
import type { Metadata, Rows } from "../../features/features.ts";
import { assertSameOrigin, describeTextFeatures, precisionOf } from "../../features/origin.ts";
import { SearchableFeatures } from "../../features/search-features.ts";
import { embedTextTaps, textTap } from "../../tasks/embed-texts.ts";
import { joinPath } from "../dataset-files.ts";
import type { EvaluationHost } from "../host.ts";

/** Texts in a file, at most: 128 MB of embeddings of 1,024 numbers. */
const mostInFile = 2 ** 15;

/** Texts per pass. */
const batchSize = 32;

/** How many texts are embedded, and how many of them an earlier run embedded. */
export interface PreparedTexts {
  /** Different texts. */
  readonly texts: number;
  /** Those that this run embedded. */
  readonly embedded: number;
}

/** Called with the number of different texts that are embedded. */
export type TextProgress = (done: number, total: number, before: number) => void;

/** Texts of one file, or of memory. */
interface Part {
  readonly rowOf: ReadonlyMap<string, number>;
  /** Read when a row of it is first needed, and forgotten by `release`. */
  readonly load: () => Promise<Rows>;
}

/** The texts that a text tower has embedded. */
export class TextEmbeddings {
  readonly #host: EvaluationHost;
  readonly #model: Clip;
  /** Null: embeddings stay in memory. */
  readonly #folder: string | null;
  readonly #origin: Metadata;
  readonly #parts: Part[] = [];
  readonly #loaded = new Map<Part, Rows>();

  private constructor(host: EvaluationHost, model: Clip, folder: string | null, origin: Metadata) {
    this.#host = host;
    this.#model = model;
    this.#folder = folder;
    this.#origin = origin;
  }

  /**
   * @param features the folder of all embeddings; without it, nothing is kept on disk
   * @throws InputError if a file in it is damaged, or belongs to another model
   */
  static async open(host: EvaluationHost, model: Clip, features?: string): Promise<TextEmbeddings> {
    const [origin] = await describeTextFeatures(host, model, [textTap], {});
    if (features === undefined) return new TextEmbeddings(host, model, null, origin!);
    const key = await sha256OfJson([origin!["model_sha256"], origin!["backend"], ...precisionOf(origin!)]);
    const folder = joinPath(features, `texts-${key.slice(0, 16)}`);
    return new TextEmbeddings(host, model, folder, origin!);
  }

  /**
   * Embeds the texts that no file has. An interrupted run continues.
   *
   * @returns how much work that was
   */
  async prepare(texts: readonly string[], onProgress?: TextProgress): Promise<PreparedTexts> {
    const wanted = new Set(texts);
    const missing = await this.#missing(wanted);
    const before = wanted.size - missing.length;
    const ordered = await this.#byLength(missing);
    for (let start = 0; start < ordered.length; start += mostInFile) {
      const part = ordered.slice(start, start + mostInFile);
      const report = (done: number): void => onProgress?.(before + start + done, wanted.size, before);
      await (this.#folder === null
        ? this.#embedInMemory(part, report)
        : this.#embedToFile(part, this.#folder, report));
    }
    onProgress?.(wanted.size, wanted.size, before);
    return { texts: wanted.size, embedded: missing.length };
  }

  /** The texts that no file has, each once, by their number of tokens. Embeds nothing. */
  async missing(texts: readonly string[]): Promise<readonly string[]> {
    const missing = await this.#byLength(await this.#missing(new Set(texts)));
    this.release();
    return missing;
  }

  /**
   * The embeddings of texts that are prepared, in their order; texts may repeat.
   *
   * @returns [texts, embedDim], not normalised
   */
  async rows(texts: readonly string[]): Promise<Rows> {
    const width = this.#model.config.embedDim;
    const values = new Float32Array(texts.length * width);
    for (const [i, text] of texts.entries()) {
      const part = this.#parts.find(({ rowOf }) => rowOf.has(text));
      if (part === undefined) throw new Error(`not prepared: ${JSON.stringify(text)}`);
      const rows = this.#loaded.get(part) ?? (await part.load());
      this.#loaded.set(part, rows);
      const row = part.rowOf.get(text)!;
      values.set(rows.values.subarray(row * width, (row + 1) * width), i * width);
    }
    return { values, rows: texts.length, width };
  }

  /** Frees the embeddings that are kept in files. */
  release(): void {
    this.#loaded.clear();
    if (this.#folder !== null) this.#parts.length = 0;
  }

  /** The wanted texts that are not embedded yet; registers the files that have the others. */
  async #missing(wanted: ReadonlySet<string>): Promise<string[]> {
    const known = new Set<string>();
    const note = (rowOf: ReadonlyMap<string, number>): void => {
      for (const text of rowOf.keys()) known.add(text);
    };
    if (this.#folder !== null) {
      this.release();
      for (const file of await this.#files(this.#folder)) {
        const rowOf = await this.#rowsOf(file, wanted);
        if (rowOf === null) continue;
        await this.#host.files.removeRemains(file);
        this.#addFile(file, rowOf);
      }
    }
    for (const { rowOf } of this.#parts) note(rowOf);
    return [...wanted].filter((text) => !known.has(text));
  }

  async #files(folder: string): Promise<string[]> {
    if ((await this.#host.datasets.kindOf(folder)) !== "folder") return [];
    const names = (await this.#host.datasets.list(folder)).map(({ name }) => name);
    return names.filter((name) => name.endsWith(".safetensors")).map((name) => joinPath(folder, name));
  }

  /** The rows of the wanted texts in a file; null if it has none of them, or another tokenizer made it. */
  async #rowsOf(file: string, wanted: ReadonlySet<string>): Promise<Map<string, number> | null> {
    const features = await SearchableFeatures.open(await this.#host.files.open(file));
    try {
      assertSameOrigin(this.#origin, features.metadata, file, "this evaluation");
      const rowOf = new Map<string, number>();
      for (const [row, text] of features.paths.entries()) if (wanted.has(text)) rowOf.set(text, row);
      if (rowOf.size === 0) return null;
      return file.endsWith(`/${await this.#fileName(features.paths)}`) ? rowOf : null;
    } finally {
      await features.close();
    }
  }

  #addFile(file: string, rowOf: ReadonlyMap<string, number>): void {
    this.#parts.push({ rowOf, load: async () => decodeFeatures(await this.#host.files.open(file)) });
  }

  /** Texts by their number of tokens, so that little of a batch is padding. */
  async #byLength(texts: readonly string[]): Promise<string[]> {
    const tokenizer = await this.#model.tokenizer();
    return texts
      .map((text) => ({ text, length: tokenizer.encode(text).length }))
      .sort((a, b) => a.length - b.length || compareCodePoints(a.text, b.text))
      .map(({ text }) => text);
  }

  async #fileName(texts: Iterable<string>): Promise<string> {
    const tokenizer = await this.#model.tokenizer();
    const tokens = Array.from(texts, (text) => [text, tokenizer.encode(text)]);
    return `${(await sha256OfJson(tokens)).slice(0, 16)}.safetensors`;
  }

  async #embedToFile(
    texts: readonly string[],
    folder: string,
    report: (done: number) => void,
  ): Promise<void> {
    await this.#host.files.makeFolder(folder);
    const file = joinPath(folder, await this.#fileName(texts));
    await embedTextsToFile(this.#host, this.#model, texts, file, {
      batchSize,
      recordTexts: true,
      onProgress: report,
    });
    this.#addFile(file, new Map(texts.map((text, row) => [text, row])));
  }

  async #embedInMemory(texts: readonly string[], report: (done: number) => void): Promise<void> {
    const width = this.#model.config.embedDim;
    const values = new Float32Array(texts.length * width);
    for (let start = 0; start < texts.length; start += batchSize) {
      report(start);
      const batch = texts.slice(start, start + batchSize);
      const [features] = await embedTextTaps(this.#model, batch, [textTap]);
      try {
        values.set(await features!.data<"float32">(), start * width);
      } finally {
        features!.dispose();
      }
    }
    const rows: Rows = { values, rows: texts.length, width };
    const rowOf = new Map(texts.map((text, row) => [text, row]));
    this.#parts.push({ rowOf, load: () => Promise.resolve(rows) });
  }
}
