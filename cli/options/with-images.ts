/** Options and steps that commands on images share. */
import { Option, type Command } from "commander";
import type { Clip } from "../../lib/clip/clip.ts";
import { findImages, imageExtensions } from "../../lib/node/images/image-files.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import type { ImageInput } from "../../lib/tasks/image-source.ts";
import type { EmbedTapsOptions } from "../../lib/node/images/embed-images.ts";
import { defaultBatchSize } from "../../lib/tasks/embed-images.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { positiveInteger } from "./option-values.ts";
import { precisionOption, weightsOption, withModel, type ModelOptions } from "./with-model.ts";

export interface ImageOptions extends ModelOptions {
  readonly exif?: boolean;
  readonly batch?: number;
}

/** A line of help for commands that take image files and folders. */
export const foldersHelp = `Folders are searched recursively for images (${imageExtensions.join(" ")}).`;

export function exifOption(): Option {
  return new Option("--exif", "rotate images by their EXIF orientation (OpenCLIP does not)");
}

export function batchOption(): Option {
  return new Option(
    "--batch <n>",
    `images per pass; GPUs benefit from larger batches (default: ${defaultBatchSize})`,
  ).argParser(positiveInteger);
}

/** `--exif`, `--batch`, `--weights` and `--precision`. */
export function addImageOptions(command: Command): Command {
  return command
    .addOption(exifOption())
    .addOption(batchOption())
    .addOption(weightsOption())
    .addOption(precisionOption());
}

/** The options in the library's form. */
export function embedOptions({
  exif,
  batch,
}: ImageOptions): Pick<EmbedTapsOptions, "exifOrientation" | "batchSize"> {
  return {
    ...(exif === undefined ? {} : { exifOrientation: exif }),
    ...(batch === undefined ? {} : { batchSize: batch }),
  };
}

/** "-" as an image. A file of this name is "./-". */
export function standardInputImage({ stdin }: Pick<Terminal, "stdin">): ImageInput {
  return { name: "standard input", content: stdin as AsyncIterable<Uint8Array> };
}

/** @throws InputError if standard input is given more than once */
export function assertOneStandardInput(given: readonly (string | undefined)[]): void {
  if (given.filter((path) => path === "-").length <= 1) return;
  throw new InputError("standard input (-) is given twice; it can be read once");
}

/**
 * Finds images and calls `use` with them and the model. Reports bad paths; if all are bad, `use` is not called. "-" is
 * the image on standard input.
 */
export async function withModelAndImages(
  paths: readonly string[],
  options: ModelOptions,
  terminal: Terminal,
  use: (model: Clip, images: ImageInput[]) => Promise<void>,
): Promise<void> {
  assertOneStandardInput(paths);
  const images: ImageInput[] = [];
  for (const path of paths) {
    if (path === "-") images.push(standardInputImage(terminal));
    else for (const image of await findImages([path], terminal.report)) images.push(image);
  }
  if (images.length > 0) await withModel(options, terminal, (model) => use(model, images));
}

export interface ImageRun extends ReturnType<typeof embedOptions> {
  readonly onError: (error: unknown) => void;
  readonly onProgress: (done: number, before?: number) => void;
}

/** Calls `embed` with options that report unreadable images and show progress. */
export function runOverImages<T>(
  count: number,
  options: ImageOptions,
  terminal: Terminal,
  embed: (run: ImageRun) => Promise<T>,
): Promise<T> {
  return terminal.counting(count, "images", (onProgress) =>
    embed({ ...embedOptions(options), onError: terminal.report, onProgress }),
  );
}
