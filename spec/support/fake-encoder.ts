/** An encoder whose passes end when a spec says so, for specs of what waits for them. */
import type { BatchedCallOptions } from "../../lib/tasks/batched-encoder.ts";

interface Pass {
  readonly items: readonly unknown[];
  readonly signal: AbortSignal | undefined;
}

export class FakeEncoder {
  readonly passes: Pass[] = [];
  readonly #embed: (item: string | Float32Array) => readonly number[] | Promise<readonly number[]>;

  constructor(embed: (item: string | Float32Array) => readonly number[] | Promise<readonly number[]>) {
    this.#embed = embed;
  }

  readonly encodeTexts = (
    texts: readonly string[],
    { signal }: BatchedCallOptions = {},
  ): Promise<readonly Float32Array[]> => this.#encode(texts, signal);

  readonly encodeImages = (
    images: readonly Float32Array[],
    { signal }: BatchedCallOptions = {},
  ): Promise<readonly Float32Array[]> => this.#encode(images, signal);

  #encode(
    items: readonly (string | Float32Array)[],
    signal: AbortSignal | undefined,
  ): Promise<Float32Array[]> {
    this.passes.push({ items, signal });
    return Promise.all(items.map(async (item) => Float32Array.from(await this.#embed(item))));
  }
}
