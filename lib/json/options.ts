/** Reading JSON configs option by option, so that nothing that a config says is passed over in silence. */
import { InputError } from "../errors/input-error.ts";

/** One JSON object whose options must all be asked for. */
export class Options {
  readonly #values: ReadonlyMap<string, unknown>;
  readonly #where: string;
  readonly #asked = new Set<string>();

  /** @param where file and place, for errors: "demo/open_clip_config.json: model_cfg.vision_cfg" */
  constructor(value: unknown, where: string) {
    if (typeof value !== "object" || value === null || Array.isArray(value)) {
      throw new InputError(`${where}: expected an object, found ${JSON.stringify(value ?? null)}`);
    }
    this.#values = new Map(Object.entries(value));
    this.#where = where;
  }

  integer(name: string, fallback?: number): number {
    return this.#read(name, fallback, isPositiveInteger, "a positive whole number");
  }

  /** Blocks in a stack: each is made before weights can tell that there are not so many. */
  layers(name: string, fallback?: number): number {
    const isCount = (value: unknown): value is number => isPositiveInteger(value) && value <= mostLayers;
    return this.#read(name, fallback, isCount, `a positive whole number of at most ${mostLayers}`);
  }

  number(name: string, fallback?: number): number {
    return this.#read(name, fallback, isNumber, "a number");
  }

  boolean(name: string, fallback?: boolean): boolean {
    return this.#read(name, fallback, isBoolean, "true or false");
  }

  string(name: string, fallback?: string): string {
    return this.#read(name, fallback, isString, "a text");
  }

  oneOf<T extends string>(name: string, choices: readonly T[], fallback?: T): T {
    const isChoice = (value: unknown): value is T => choices.includes(value as T);
    return this.#read(name, fallback, isChoice, `one of ${choices.join(", ")}`);
  }

  object(name: string): Options {
    this.#asked.add(name);
    if (!this.#values.has(name))
      throw new InputError(`${this.#where}: "${name}" is missing, expected an object`);
    return new Options(this.#values.get(name), `${this.#where}.${name}`);
  }

  /** The raw value, for whoever validates it himself. */
  raw(name: string): unknown {
    this.#asked.add(name);
    return this.#values.get(name);
  }

  /** Options that change nothing here: they steer training, or the value given is the one that is built in. */
  neutral(values: Readonly<Record<string, readonly unknown[] | "any">>): void {
    for (const [name, accepted] of Object.entries(values)) {
      this.#asked.add(name);
      const value = this.#values.get(name);
      if (value === undefined || value === null || accepted === "any") continue;
      if (!accepted.some((one) => JSON.stringify(one) === JSON.stringify(value))) {
        throw this.#unsupported(
          name,
          value,
          `only ${accepted.map((one) => JSON.stringify(one)).join(" or ")} is`,
        );
      }
    }
  }

  /** @throws InputError for the first option that nobody asked for. */
  assertAllAsked(): void {
    for (const [name, value] of this.#values) {
      if (value !== null && !this.#asked.has(name))
        throw this.#unsupported(name, value, "this program does not know the option");
    }
  }

  #unsupported(name: string, value: unknown, why: string): InputError {
    return new InputError(`${this.#where}: "${name}": ${JSON.stringify(value)} is not supported, ${why}`);
  }

  #read<T>(name: string, fallback: T | undefined, is: (value: unknown) => value is T, expected: string): T {
    this.#asked.add(name);
    // null says that an option is not given.
    const value = this.#values.get(name) ?? fallback;
    if (value === undefined)
      throw new InputError(`${this.#where}: "${name}" is missing, expected ${expected}`);
    if (!is(value)) {
      throw new InputError(
        `${this.#where}: expected "${name}" to be ${expected}, found ${JSON.stringify(value)}`,
      );
    }
    return value;
  }
}

const mostLayers = 1000;

const isPositiveInteger = (value: unknown): value is number =>
  Number.isSafeInteger(value) && Number(value) > 0;
const isNumber = (value: unknown): value is number => typeof value === "number" && Number.isFinite(value);
const isBoolean = (value: unknown): value is boolean => typeof value === "boolean";
const isString = (value: unknown): value is string => typeof value === "string";
