/** The parts of a query: texts, `--image`, `--id`, `--minus`, and their weights. */
import { InvalidArgumentError, type Command } from "commander";
import { InputError } from "../../lib/errors/input-error.ts";
import type { QueryTerm } from "../../lib/node/retrieval/query-vectors.ts";
import type { Terminal } from "../terminal/terminal.ts";
import { collect, wholeNumber } from "./option-values.ts";
import { assertOneStandardInput, standardInputImage } from "./with-images.ts";

export interface TermOptions {
  readonly image: readonly string[];
  readonly id: readonly string[];
  readonly minus: readonly string[];
  readonly weight: readonly string[];
}

export function addQueryTerms(command: Command): Command {
  return command
    .option("--image <file>", "similar to this image (- for standard input); may be repeated", collect, [])
    .option("--id <n>", "similar to this row; may be repeated", collect, [])
    .option("--minus <text>", "not like this text; may be repeated", collect, [])
    .option(
      "--weight <w>",
      "weight of a part of the query; one for each text, then image, id and minus (default: 1)",
      collect,
      [],
    );
}

/** @throws InputError without a text, image or id, and for another number of weights than parts */
export function termsOf(
  texts: readonly string[],
  { image, id, minus, weight }: TermOptions,
  terminal: Terminal,
): QueryTerm[] {
  assertOneStandardInput(image);
  const terms = [
    ...texts.map((text) => ({ text })),
    ...image.map((file) => ({ image: file === "-" ? standardInputImage(terminal) : file })),
    ...id.map((row) => ({ id: parsed("--id", row, wholeNumber) })),
    ...minus.map((text) => ({ text })),
  ];
  if (terms.length === minus.length) {
    throw new InputError('expected a text (clipscope query DIR "a dog"), --image or --id');
  }
  if (weight.length > 0 && weight.length !== terms.length) {
    throw new InputError(
      `--weight: expected ${terms.length} weights, one for each text, image, id and minus, found ${weight.length}`,
    );
  }
  return terms.map((term, i) => {
    const sign = i < terms.length - minus.length ? 1 : -1;
    const given = weight[i];
    return { ...term, weight: sign * (given === undefined ? 1 : parsed("--weight", given, finiteNumber)) };
  });
}

/** A value of an option that is repeated. */
function parsed(option: string, value: string, parse: (text: string) => number): number {
  try {
    return parse(value);
  } catch (error) {
    throw new InputError(`${option} ${value}: ${(error as Error).message}`);
  }
}

export function finiteNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value)) throw new InvalidArgumentError("Expected a number.");
  return value;
}
