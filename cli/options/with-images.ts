/** Commands over images: their options, and the steps that they share. */
import { Option, type Command } from "commander";
import type { Clip } from "../../lib/clip/clip.ts";
import { findImages, imageExtensions } from "../../lib/node/images/image-files.ts";
import type { EmbedTapsOptions } from "../../lib/node/images/embed-images.ts";
import { defaultBatchSize } from "../../lib/tasks/embed-images.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { positiveInteger } from "./option-values.ts";
import { weightsOption, withModel, type ModelOptions } from "./with-model.ts";

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

/** `--exif`, `--batch` and `--weights`. */
export function addImageOptions(command: Command): Command {
  return command.addOption(exifOption()).addOption(batchOption()).addOption(weightsOption());
}

/** The options as the library takes them. */
export function embedOptions({
  exif,
  batch,
}: ImageOptions): Pick<EmbedTapsOptions, "exifOrientation" | "batchSize"> {
  return {
    ...(exif === undefined ? {} : { exifOrientation: exif }),
    ...(batch === undefined ? {} : { batchSize: batch }),
  };
}

/** Finds images and calls `use` with them and the model; does nothing if all paths are bad, which it reports. */
export async function withModelAndImages(
  paths: readonly string[],
  options: ModelOptions,
  terminal: Terminal,
  use: (model: Clip, images: string[]) => Promise<void>,
): Promise<void> {
  const images = await findImages(paths, terminal.report);
  if (images.length > 0) await withModel(options, terminal, (model) => use(model, images));
}

export interface ImageRun extends ReturnType<typeof embedOptions> {
  readonly onError: (error: unknown) => void;
  readonly onProgress: (done: number, before?: number) => void;
}

/** Calls `embed` with the options of a run over images: it reports unreadable images and shows progress. */
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
