/** Parsers of option values, and help text that several commands share. */
import { InvalidArgumentError } from "commander";

/** For an option that is repeated to give several values. */
export function collect(value: string, previous: readonly string[] = []): string[] {
  return [...previous, value];
}

export function positiveInteger(text: string): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < 1) throw new InvalidArgumentError("Expected a whole number above 0.");
  return value;
}

/** 2 or more, up to 1,000: how often something is repeated to get an interval. */
export function repetitions(text: string): number {
  const value = Number(text);
  if (!/^\d{1,4}$/.test(text) || value < 2 || value > 1000) {
    throw new InvalidArgumentError("Expected a whole number from 2 to 1000.");
  }
  return value;
}

export function wholeNumber(text: string): number {
  if (!/^\d{1,9}$/.test(text)) {
    throw new InvalidArgumentError("Expected a whole number of at most nine digits.");
  }
  return Number(text);
}

/** Above 0 and below 1. */
export function fraction(text: string): number {
  const value = Number(text);
  if (!(value > 0 && value < 1)) throw new InvalidArgumentError("Expected a number between 0 and 1.");
  return value;
}

/** 0 or above. */
export function nonNegativeNumber(text: string): number {
  const value = Number(text);
  if (text.trim() === "" || !Number.isFinite(value) || value < 0) {
    throw new InvalidArgumentError("Expected a number, such as 1e-4.");
  }
  return value;
}

/** "336", or "224x448": height, then width. */
export function imageSize(text: string): readonly [number, number] {
  const [, height, width = height] = /^([1-9]\d{0,5})(?:x([1-9]\d{0,5}))?$/.exec(text) ?? [];
  if (height === undefined) throw new InvalidArgumentError("Expected pixels, such as 336 or 224x448.");
  return [Number(height), Number(width)];
}

/** The examples at the end of a command's help. */
export function examples(...lines: readonly string[]): string {
  return ["", "Examples:", ...lines.map((line) => `  ${line}`)].join("\n");
}
