/** Options that choose what a command computes or shows, shared by several commands. */
import { Option } from "commander";
import { collect, positiveInteger } from "./option-values.ts";

export function poolOption(): Option {
  return new Option(
    "--pool <how>",
    "reduce a tap with one vector per token to the class token (of texts: <s>, or the end token) or to the mean (default: class)",
  ).choices(["class", "mean"]);
}

export function normalizeOption(): Option {
  return new Option("--normalize", "divide each row by its L2 norm");
}

/** @param format of the files @param content what the charts show */
export function figuresOption(format: "PNG" | "SVG", content: string): Option {
  return new Option("--figures <dir>", `write ${format} files to this directory: ${content}`);
}

/** @param what is ranked, in the plural */
export function topOption(what: string): Option {
  return new Option("--top <k>", `show the best K ${what} (default: all)`).argParser(positiveInteger);
}

export function templateOption(): Option {
  return new Option(
    "--template <text>",
    'prompt with {} for the label; repeat to average several (default: "{}")',
  ).argParser(collect);
}
