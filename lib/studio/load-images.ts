/** Decodes and preprocesses the images of a question, one at a time. */
import { InputError } from "../errors/input-error.ts";
import { preprocessImage, type PreprocessOptions } from "../image/preprocess.ts";
import type { LoadedImage } from "../tasks/embed-images.ts";
import type { Passes } from "./passes.ts";
import type { NamedBytes } from "./results.ts";

/** An image that cannot be read is an error among the others. */
export async function* loadImages(
  { model, codecs }: Passes,
  images: readonly Omit<NamedBytes, "key">[],
  options: PreprocessOptions,
  signal: AbortSignal,
): AsyncGenerator<LoadedImage, void, undefined> {
  const preprocess = preprocessImage(model.preprocess, codecs, options);
  for (const { name, bytes } of images) {
    signal.throwIfAborted();
    try {
      yield { path: name, pixels: await preprocess(bytes, name) };
    } catch (error) {
      if (!(error instanceof InputError)) throw error;
      yield { path: name, error };
    }
  }
}
