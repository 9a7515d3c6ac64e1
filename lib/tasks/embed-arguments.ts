/** Checks of what callers pass to `embedImages` and its relatives. */
import { assertModel } from "../clip/inputs.ts";
import {
  assertCallback,
  assertChoice,
  assertOptions,
  assertSwitch,
  assertTextList,
  assertWhole,
} from "../errors/arguments.ts";
import { found } from "../errors/found.ts";
import { InputError } from "../errors/input-error.ts";
import { poolings } from "./tapped.ts";

/** What they share; a host may have more. */
export interface EmbedArguments {
  readonly batchSize?: number;
  readonly normalize?: boolean;
  readonly pool?: (typeof poolings)[number];
  readonly tap?: string;
  readonly exifOrientation?: boolean;
  readonly convertToRgbFirst?: boolean;
  readonly workers?: number;
  readonly onError?: unknown;
  readonly onProgress?: unknown;
}

const names: readonly (keyof EmbedArguments)[] = [
  "batchSize",
  "normalize",
  "pool",
  "tap",
  "exifOrientation",
  "convertToRgbFirst",
  "workers",
  "onError",
  "onProgress",
];

/**
 * Checks the arguments of a function that embeds images.
 *
 * @param images a list; whether its items are images is found out when they are read
 * @param where the function, for the error
 * @throws InputError for the first that is wrong
 */
export function assertEmbedArguments(
  model: object,
  images: readonly unknown[],
  options: EmbedArguments,
  where: string,
): void {
  assertModel(model, where);
  assertImageList(images, where);
  assertOptions(options, names, where);
  assertWhole(options.batchSize, 1, `${where}: batchSize`);
  assertWhole(options.workers, 0, `${where}: workers`);
  assertSwitch(options.normalize, `${where}: normalize`);
  assertSwitch(options.exifOrientation, `${where}: exifOrientation`);
  assertSwitch(options.convertToRgbFirst, `${where}: convertToRgbFirst`);
  assertChoice(options.pool, poolings, `${where}: pool`);
  assertCallback(options.onError, `${where}: onError`);
  assertCallback(options.onProgress, `${where}: onProgress`);
  if (options.tap !== undefined) assertTextList([options.tap], "one tap", `${where}: tap`);
}

/** Refuses a single image, which plain JavaScript may pass. @throws InputError unless the value is a list of images */
export function assertImageList(images: readonly unknown[], where: string): void {
  const given: unknown = images;
  if (!Array.isArray(given)) {
    const advice = typeof given === "string" ? "; put it into [ ]" : "";
    throw new InputError(`${where}: expected a list of images, found ${found(given)}${advice}`);
  }
  for (let i = 0; i < given.length; i++) {
    const image: unknown = given[i];
    if (typeof image === "string") continue;
    if (typeof image === "object" && image !== null && !Array.isArray(image)) continue;
    throw new InputError(
      `${where}: expected the path of an image at position ${i} of the list, found ${found(image)}`,
    );
  }
}
