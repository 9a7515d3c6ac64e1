/** Checks of what callers pass, for those who write plain JavaScript: each gives one line that names the argument. */
import { found } from "./found.ts";
import { InputError } from "./input-error.ts";

/**
 * Refuses options that are not an object, and unknown names: a misspelt option would be ignored, and the result wrong.
 *
 * @param known names of the options
 * @param where the function, for the error
 * @throws InputError
 */
export function assertOptions(options: object, known: readonly string[], where: string): void {
  const given: unknown = options;
  if (typeof given !== "object" || given === null || Array.isArray(given)) {
    throw new InputError(`${where}: expected an object of options, found ${found(given)}`);
  }
  const unknown = Object.keys(given).find((name) => !known.includes(name));
  if (unknown !== undefined) {
    throw new InputError(
      `${where}: unknown option ${JSON.stringify(unknown)}; the options are ${known.join(", ")}`,
    );
  }
}

/** @throws InputError unless the value is a whole number of at least `least` */
export function assertWhole(value: number | undefined, least: number, where: string): void {
  if (value === undefined || (Number.isSafeInteger(value) && value >= least)) return;
  throw new InputError(`${where}: expected a whole number of at least ${least}, found ${found(value)}`);
}

/** @throws InputError unless the value is one of the choices */
export function assertChoice<T>(value: T | undefined, choices: readonly T[], where: string): void {
  if (value === undefined || choices.includes(value)) return;
  throw new InputError(`${where}: expected one of ${choices.join(", ")}, found ${found(value)}`);
}

/** @throws InputError unless the value is true, false or undefined */
export function assertSwitch(value: boolean | undefined, where: string): void {
  const given: unknown = value;
  if (given === undefined || typeof given === "boolean") return;
  throw new InputError(`${where}: expected true or false, found ${found(given)}`);
}

/** @throws InputError unless the value is a function or undefined */
export function assertCallback(value: unknown, where: string): void {
  if (value === undefined || typeof value === "function") return;
  throw new InputError(`${where}: expected a function, found ${found(value)}`);
}

/** @throws InputError unless the value can abort a pass, or is undefined */
export function assertSignal(value: AbortSignal | undefined, where: string): void {
  const given = value as { readonly throwIfAborted?: unknown } | null | undefined;
  if (given === undefined || typeof given?.throwIfAborted === "function") return;
  throw new InputError(
    `${where}: expected an AbortSignal, found ${found(given)}; pass the signal of an AbortController`,
  );
}

/**
 * Refuses a single text where a list is expected, which JavaScript would take for a list of letters.
 *
 * @param what "texts", "class names"
 * @throws InputError unless the value is a list of texts
 */
export function assertTextList(texts: readonly string[], what: string, where: string): void {
  const given: unknown = texts;
  if (typeof given === "string") {
    throw new InputError(`${where}: expected a list of ${what}, found ${found(given)}; put it into [ ]`);
  }
  if (!Array.isArray(given))
    throw new InputError(`${where}: expected a list of ${what}, found ${found(given)}`);
  for (let i = 0; i < given.length; i++) {
    if (typeof given[i] === "string") continue;
    throw new InputError(`${where}: expected a list of ${what}, found ${found(given[i])} at position ${i}`);
  }
}
