/** Embeds captions in batches, in the order of their rows. */
import type { Clip } from "../../clip/clip.ts";
import { disposing } from "../../tensor/disposing.ts";
import type { VectorWriter } from "./vector-writer.ts";

/** Texts per pass, as for features files of texts. */
const batchSize = 32;

export class CaptionVectors {
  readonly #model: Clip;
  readonly #writer: VectorWriter;
  #waiting: (string | null)[] = [];

  constructor(model: Clip, writer: VectorWriter) {
    this.#model = model;
    this.#writer = writer;
  }

  /** Rows without a caption get zeros, whose similarity to everything is 0. */
  async append(caption: string | null): Promise<void> {
    this.#waiting.push(caption === "" ? null : caption);
    if (this.#waiting.length === batchSize) await this.flush();
  }

  async flush(): Promise<void> {
    const captions = this.#waiting;
    this.#waiting = [];
    const texts = captions.filter((caption) => caption !== null);
    if (texts.length === 0) {
      await this.#writer.appendZeros(captions.length);
      return;
    }
    const vectors = await disposing(await this.#model.encodeText(texts, { normalize: true }), (tensor) =>
      tensor.data<"float32">(),
    );
    const width = vectors.length / texts.length;
    const all = new Float32Array(captions.length * width);
    let next = 0;
    for (const [i, caption] of captions.entries()) {
      if (caption === null) continue;
      all.set(vectors.subarray(next * width, (next + 1) * width), i * width);
      next += 1;
    }
    await this.#writer.append(all);
  }
}
