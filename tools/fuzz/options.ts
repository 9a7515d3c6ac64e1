/** The options of `npm run fuzz`. */
import { resolve } from "node:path";
import { parseArgs } from "node:util";
import { targetNames } from "./targets.ts";

export interface FuzzOptions {
  readonly minutes: number;
  /** The number of inputs of each target after which it is done; null if time alone decides. */
  readonly inputs: number | null;
  /** Targets that are fuzzed at once. */
  readonly workers: number;
  readonly seed: number;
  readonly targets: readonly string[];
  readonly corpus: string | null;
  readonly out: string;
  readonly replay: string | null;
}

export const usage = `Usage: npm run fuzz -- [options]
  --minutes N     time for all targets together (default: 1; with --inputs no limit)
  --inputs N      stop each target after N inputs; two runs with the same seed then do the same
  --seed N        default: 0
  --workers N     targets at once (default: 1)
  --only NAME     fuzz this target only; may be repeated
  --corpus DIR    start from the inputs of earlier runs, and add new ones
  --out DIR       where failing inputs are saved (default: fuzz-findings)
  --replay FILE   run one input of the target that --only names
Targets: ${targetNames.join(", ")}`;

/** @throws Error with a message for the user */
export function parseOptions(args: readonly string[]): FuzzOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      minutes: { type: "string" },
      inputs: { type: "string" },
      seed: { type: "string", default: "0" },
      only: { type: "string", multiple: true, default: [] },
      workers: { type: "string", default: "1" },
      corpus: { type: "string" },
      out: { type: "string", default: "fuzz-findings" },
      replay: { type: "string" },
    },
  });
  const unknown = values.only.find((name) => !targetNames.includes(name));
  if (unknown !== undefined)
    throw new Error(`--only: expected one of ${targetNames.join(", ")}, found ${unknown}`);
  if (values.replay !== undefined && values.only.length !== 1)
    throw new Error("--replay requires one --only NAME");
  const inputs = values.inputs === undefined ? null : numberOf("--inputs", values.inputs);
  const minutes = values.minutes ?? (values.inputs === undefined ? "1" : "10000");
  return {
    minutes: numberOf("--minutes", minutes),
    inputs,
    workers: Math.ceil(numberOf("--workers", values.workers)),
    seed: numberOf("--seed", values.seed, 0),
    targets: values.only.length === 0 ? targetNames : values.only,
    corpus: values.corpus === undefined ? null : resolve(values.corpus),
    out: resolve(values.out),
    replay: values.replay === undefined ? null : resolve(values.replay),
  };
}

function numberOf(option: string, text: string, min = 1e-6): number {
  const number = Number(text);
  if (number >= min) return number;
  throw new Error(`${option}: expected a number${min > 0 ? " above 0" : ""}, found ${text}`);
}
