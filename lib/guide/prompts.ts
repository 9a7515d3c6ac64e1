/** Prompts with weights: "a red circle", "a red circle:0.5", "text:-0.3". */
import { InputError } from "../errors/input-error.ts";
import { clean } from "../text/clean/clean.ts";

export interface Prompt {
  readonly text: string;
  /** Negative: away from the text. */
  readonly weight: number;
}

/** @throws InputError for a blank text, or a weight of 0 */
export function parsePrompt(given: string): Prompt {
  const [, text = given, number] = /^(.*):(-?(?:\d+\.?\d*|\.\d+))$/s.exec(given) ?? [];
  const weight = number === undefined ? 1 : Number(number);
  if (clean(text) === "")
    throw new InputError(`prompt ${JSON.stringify(given)}: expected a text, found a blank one`);
  if (weight === 0) throw new InputError(`prompt ${JSON.stringify(given)}: expected a weight other than 0`);
  return { text, weight };
}
