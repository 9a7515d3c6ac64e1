/** Options of commands that fit probes. */
import { InvalidArgumentError, Option } from "commander";
import { clipC } from "../../lib/probe/logistic-regression.ts";
import { positiveInteger } from "./options.ts";

export interface FitOptions {
  readonly C?: number | "sweep";
  readonly maxIterations?: number;
  readonly balanced?: boolean;
  readonly shots?: number;
  readonly seed?: number;
}

export function strengthOption(): Option {
  return new Option(
    "-C <number>",
    `logistic-regression: inverse strength of the penalty, or "sweep" to choose it by cross-validation (default: ${clipC})`,
  ).argParser((text): number | "sweep" => {
    if (text === "sweep") return text;
    const value = Number(text);
    if (text.trim() === "" || !Number.isFinite(value) || value <= 0) {
      throw new InvalidArgumentError('Expected a number above 0, or "sweep".');
    }
    return value;
  });
}

export function maxIterationsOption(): Option {
  const description = "logistic-regression: end after so many (default: 1000)";
  return new Option("--max-iterations <n>", description).argParser(positiveInteger);
}

export function balancedOption(): Option {
  return new Option(
    "--balanced",
    "logistic-regression: weigh classes alike, however many examples they have",
  );
}

export function shotsOption(): Option {
  const description = "fit on k examples of each class, chosen by --seed";
  return new Option("--shots <k>", description).argParser(positiveInteger);
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw new InvalidArgumentError("Expected a whole number of at most nine digits.");
  }
  return Number(text);
}
