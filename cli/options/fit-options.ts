/** Options of commands that fit probes. */
import { InvalidArgumentError, Option, type Command } from "commander";
import { clipC, type LogisticRegressionOptions } from "../../lib/probe/logistic-regression.ts";
import { positiveInteger, wholeNumber } from "./option-values.ts";

export interface FitOptions {
  readonly C?: number | "sweep";
  readonly maxIterations?: number;
  readonly balanced?: boolean;
  readonly shots?: number;
  readonly seed?: number;
}

/** @param seeded what `--seed` seeds, for its help text */
export function addFitOptions(command: Command, seeded: string): Command {
  return command
    .addOption(
      new Option(
        "-C <number>",
        `logistic-regression: inverse regularisation strength, or "sweep" to choose it by cross-validation (default: ${clipC})`,
      ).argParser(strength),
    )
    .option("--max-iterations <n>", "logistic-regression: iteration limit (default: 1000)", positiveInteger)
    .option("--balanced", "logistic-regression: weight classes by inverse frequency")
    .option("--shots <k>", "fit on K examples per class, chosen by --seed", positiveInteger)
    .option("--seed <n>", `seed for ${seeded} (default: 0)`, wholeNumber);
}

function strength(text: string): number | "sweep" {
  if (text === "sweep") return text;
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value <= 0) {
    throw new InvalidArgumentError('Expected a number above 0, or "sweep".');
  }
  return value;
}

/** The options of a logistic regression except C, in the library's form. */
export function regressionOptions({
  maxIterations,
  balanced = false,
}: FitOptions): Pick<LogisticRegressionOptions, "maxIterations" | "classWeight"> {
  return {
    ...(maxIterations === undefined ? {} : { maxIterations }),
    ...(balanced ? { classWeight: "balanced" } : {}),
  };
}
