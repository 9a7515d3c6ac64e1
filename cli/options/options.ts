/** Options that several commands share. */
import { InvalidArgumentError, Option } from "commander";
import type { EmbedImagesOptions } from "../../lib/tasks/embed.ts";
import type { BackendChoice } from "../../lib/tensor/backend.ts";

/** Taken by every command; defined in program.ts. */
export interface GlobalOptions {
  readonly model?: string;
  readonly arch?: string;
  readonly backend: BackendChoice;
  readonly json?: boolean;
}

export interface ModelOptions extends GlobalOptions {
  readonly weights: "resident" | "streamed" | "auto";
}

/** For commands that run the network. */
export function weightsOption(): Option {
  return new Option("--weights <how>", "keep weights in memory, or read each block again in every pass")
    .choices(["resident", "streamed", "auto"])
    .default("auto");
}

/** How images go through the network. */
export interface ImageOptions extends ModelOptions {
  readonly exif?: boolean;
  readonly batch?: number;
}

/** For commands that embed images. */
export function exifOption(): Option {
  return new Option("--exif", "turn images as their EXIF data says (OpenCLIP does not)");
}

/** For commands that embed images. */
export function batchOption(): Option {
  return new Option("--batch <n>", "images that run together; a GPU gains by more (default: 8)").argParser(
    positiveInteger,
  );
}

/** For commands that embed images or texts. */
export function poolOption(): Option {
  return new Option(
    "--pool <how>",
    "of a tap with a vector for each token, take the class token's (of texts: <s>, or the end) or the mean (default: class)",
  ).choices(["class", "mean"]);
}

/** @param what the pictures show */
export function picturesOption(what: string): Option {
  return new Option("--pictures <folder>", `write pictures (PNG): ${what}`);
}

/** These options as the library takes them. */
export function embedOptions({ exif = false, batch }: ImageOptions): EmbedImagesOptions {
  return { exifOrientation: exif, ...(batch === undefined ? {} : { batchSize: batch }) };
}

/** An option that is repeated for several values. */
export function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value];
}

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1) throw new InvalidArgumentError("Expected a whole number above 0.");
  return value;
}

/** Help text below the options. */
export function examples(...lines: readonly string[]): string {
  return ["", "Examples:", ...lines.map((line) => `  ${line}`)].join("\n");
}
