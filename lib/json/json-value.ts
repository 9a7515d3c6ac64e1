/** Reading JSON that other programs wrote. */
import { InputError } from "../errors/input-error.ts";
import { firstDuplicateKey } from "./duplicate-key.ts";

export interface ParseOptions {
  /** What to do about an error, for the end of its message. */
  readonly fix?: string;
  /** Reject objects with duplicate keys. By default, the last one counts. */
  readonly uniqueKeys?: boolean;
}

/**
 * A value in a JSON document, and its place there.
 *
 * Each method that reads the value checks its type first. Errors name the file, the place, what was expected and what
 * was found.
 */
export class JsonValue {
  readonly value: unknown;
  /** The file, and where it helps a place in it: starts every error message. */
  readonly where: string;
  readonly #fix: string | undefined;
  readonly #parent: JsonValue | undefined;
  readonly #key: string | number;
  readonly #depth: number;
  /** The properties that were read so far. */
  #read: Map<string, JsonValue> | undefined;

  private constructor(
    value: unknown,
    where: string,
    fix: string | undefined,
    parent?: JsonValue,
    key: string | number = "",
  ) {
    this.value = value;
    this.where = where;
    this.#fix = fix;
    this.#parent = parent;
    this.#key = key;
    this.#depth = parent === undefined ? 0 : parent.#depth + 1;
  }

  /**
   * Parses a document.
   *
   * @param json text, or bytes in UTF-8
   * @param where the file, for errors
   * @throws InputError if it is not valid JSON
   */
  static parse(
    json: string | Uint8Array,
    where: string,
    { fix, uniqueKeys = false }: ParseOptions = {},
  ): JsonValue {
    let value: unknown;
    let duplicate: string | undefined;
    try {
      const text = typeof json === "string" ? json : new TextDecoder("utf-8", { fatal: true }).decode(json);
      value = JSON.parse(text);
      if (uniqueKeys) duplicate = firstDuplicateKey(text);
    } catch (cause) {
      const message = cause instanceof Error ? cause.message : "";
      const reason = message
        .replace(/ is not valid JSON$/, "")
        .replaceAll(/\s+/g, " ")
        .slice(0, 120);
      throw new InputError(withFix(`${where}: not valid JSON (${reason})`, fix), [], { cause });
    }
    if (duplicate !== undefined) {
      throw new InputError(
        withFix(`${where}: expected unique keys, found ${describe(duplicate)} twice in one object`, fix),
      );
    }
    return new JsonValue(value, where, fix);
  }

  /** A document that is already parsed. */
  static of(value: unknown, where: string, { fix }: Pick<ParseOptions, "fix"> = {}): JsonValue {
    return new JsonValue(value, where, fix);
  }

  /** The place in the document, like `model.vocab[3]`; empty for the whole document. */
  get path(): string {
    if (this.#parent === undefined) return "";
    const before = this.#parent.path;
    if (typeof this.#key === "number") return `${before}[${this.#key}]`;
    if (!/^[\w<>/-]{1,60}$/.test(this.#key)) return `${before}[${describe(this.#key)}]`;
    return before === "" ? this.#key : `${before}.${this.#key}`;
  }

  /** Whether the value is absent or null. */
  get isMissing(): boolean {
    return this.value === undefined || this.value === null;
  }

  /** This value, or the fallback if it is missing. */
  or(fallback: unknown): JsonValue {
    return this.isMissing ? new JsonValue(fallback, this.where, this.#fix, this.#parent, this.#key) : this;
  }

  /** A property, which counts as read from now on. It is missing if the object lacks it. */
  at(key: string): JsonValue {
    const properties = this.object();
    this.#read ??= new Map();
    let property = this.#read.get(key);
    if (property === undefined) {
      property = this.#child(Object.hasOwn(properties, key) ? properties[key] : undefined, key);
      this.#read.set(key, property);
    }
    return property;
  }

  object(): Readonly<Record<string, unknown>> {
    const { value } = this;
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw this.error("an object");
    return value as Readonly<Record<string, unknown>>;
  }

  /** The properties of an object whose keys are names, not options. */
  entries(): [key: string, value: JsonValue][] {
    return Object.entries(this.object()).map(([key, value]) => [key, this.#child(value, key)]);
  }

  /** The bare array; cheaper than `items` for long arrays. */
  array(): readonly unknown[] {
    if (!Array.isArray(this.value)) throw this.error("an array");
    return this.value;
  }

  items(): JsonValue[] {
    return this.array().map((value, index) => this.#child(value, index));
  }

  strings(): string[] {
    return this.array().map((value, index) =>
      typeof value === "string" ? value : this.#child(value, index).string(),
    );
  }

  /** Whole numbers of at least `min`. */
  integers(min: number): number[] {
    return this.array().map((value, index) =>
      isInteger(value, min) ? value : this.#child(value, index).integer(min),
    );
  }

  string(): string {
    if (typeof this.value !== "string") throw this.error("a string");
    return this.value;
  }

  boolean(): boolean {
    if (typeof this.value !== "boolean") throw this.error("true or false");
    return this.value;
  }

  /** A finite number. */
  number(): number {
    if (typeof this.value !== "number" || !Number.isFinite(this.value)) throw this.error("a number");
    return this.value;
  }

  /** A whole number from `min` to `max`. */
  integer(min: number, max = Number.MAX_SAFE_INTEGER): number {
    if (isInteger(this.value, min, max)) return this.value;
    const range = max === Number.MAX_SAFE_INTEGER ? `of at least ${min}` : `from ${min} to ${max}`;
    throw this.error(`a whole number ${range}`);
  }

  oneOf<const T extends readonly (string | number | boolean)[]>(...choices: T): T[number] {
    const choice: T[number] | undefined = choices.find((one) => one === this.value);
    if (choice === undefined) throw this.error(alternatives(choices.map(describe)));
    return choice;
  }

  /**
   * Reads properties that have no effect here.
   *
   * @param properties the values of each that are accepted besides null: primitives, `{}`, or "any"
   * @throws InputError for any other value
   */
  neutral(properties: Readonly<Record<string, readonly unknown[] | "any">>): void {
    for (const [key, accepted] of Object.entries(properties)) {
      const property = this.at(key);
      if (property.isMissing || accepted === "any" || accepted.some((one) => isSame(one, property.value)))
        continue;
      throw property.error(
        alternatives([...accepted.map(describe), "absent"]),
        "other values are not supported",
      );
    }
  }

  /** @throws InputError for the first property that was not read and is not null: ignoring it might be wrong */
  expectAllRead(): void {
    for (const [key, value] of Object.entries(this.object())) {
      if (value !== null && this.#read?.has(key) !== true)
        throw this.#child(value, key).error("absent", "the key is unknown or not supported");
    }
  }

  /** The error that the value is not what was expected. */
  error(expected: string, fix = this.#fix): InputError {
    const { path } = this;
    const what = path === "" ? expected : `${path} to be ${expected}`;
    return new InputError(withFix(`${this.where}: expected ${what}, found ${describe(this.value)}`, fix));
  }

  #child(value: unknown, key: string | number): JsonValue {
    // Readers of nested values are recursive: without a limit a hostile document would exhaust the stack.
    if (this.#depth >= maxDepth) throw this.error(`a value within ${maxDepth} levels`);
    return new JsonValue(value, this.where, this.#fix, this, key);
  }
}

const maxDepth = 100;

function withFix(message: string, fix: string | undefined): string {
  return fix === undefined ? message : `${message}; ${fix}`;
}

/** A value in a few words. Not JSON of any size or depth: the document may be hostile. */
function describe(value: unknown): string {
  if (value === undefined) return "nothing";
  if (typeof value === "string")
    return value.length > 60 ? `${JSON.stringify(value.slice(0, 60))}…` : JSON.stringify(value);
  if (Array.isArray(value)) {
    const isShort = value.length <= 4 && value.every((item) => typeof item !== "object");
    return isShort ? `[${value.map(describe).join(", ")}]` : `an array of ${value.length}`;
  }
  if (typeof value !== "object" || value === null) return JSON.stringify(value);
  const keys = Object.keys(value);
  if (keys.length === 0) return "{}";
  return `an object with ${keys.slice(0, 3).map(describe).join(", ")}${keys.length > 3 ? ", …" : ""}`;
}

function isInteger(value: unknown, min: number, max = Number.MAX_SAFE_INTEGER): value is number {
  return Number.isSafeInteger(value) && Number(value) >= min && Number(value) <= max;
}

function alternatives(choices: readonly string[]): string {
  return [choices.slice(0, -1).join(", "), ...choices.slice(-1)].filter((part) => part !== "").join(" or ");
}

/** Equal primitives, or two objects without properties. */
function isSame(a: unknown, b: unknown): boolean {
  const isEmpty = (value: unknown): boolean =>
    typeof value === "object" && value !== null && !Array.isArray(value) && Object.keys(value).length === 0;
  return a === b || (isEmpty(a) && isEmpty(b));
}
