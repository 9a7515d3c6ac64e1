/** Reading JSON that other programs wrote, with errors that name the place. */
import { InputError } from "../errors/input-error.ts";

/** A value in a JSON file, and where it stands. */
export class JsonValue {
  readonly file: string;
  /** like `model.vocab[3]`; empty for the whole document */
  readonly path: string;
  readonly value: unknown;

  private constructor(file: string, path: string, value: unknown) {
    this.file = file;
    this.path = path;
    this.value = value;
  }

  /** @throws InputError where the bytes are not UTF-8 or not JSON */
  static parse(file: string, bytes: Uint8Array): JsonValue {
    try {
      return new JsonValue(file, "", JSON.parse(new TextDecoder("utf-8", { fatal: true }).decode(bytes)));
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message.replaceAll(/\s+/g, " ").slice(0, 120) : "";
      throw new InputError(
        `${file}: expected JSON, found something else (${reason}); download it again`,
        [],
        {
          cause,
        },
      );
    }
  }

  /** A property; its value is undefined where the object lacks it. */
  at(key: string): JsonValue {
    const properties = this.object();
    const value = Object.hasOwn(properties, key) ? properties[key] : undefined;
    return new JsonValue(this.file, this.path === "" ? key : `${this.path}.${key}`, value);
  }

  isMissing(): boolean {
    return this.value === undefined || this.value === null;
  }

  object(): Readonly<Record<string, unknown>> {
    const { value } = this;
    if (typeof value !== "object" || value === null || Array.isArray(value)) throw this.error("an object");
    return value as Readonly<Record<string, unknown>>;
  }

  items(): JsonValue[] {
    return this.array().map((value, index) => new JsonValue(this.file, `${this.path}[${index}]`, value));
  }

  /** The bare array, for long ones. */
  array(): readonly unknown[] {
    if (!Array.isArray(this.value)) throw this.error("an array");
    return this.value;
  }

  string(): string {
    if (typeof this.value !== "string") throw this.error("a string");
    return this.value;
  }

  boolean(): boolean {
    if (typeof this.value !== "boolean") throw this.error("true or false");
    return this.value;
  }

  /** A whole number, 0 or more. */
  index(): number {
    if (typeof this.value !== "number" || !Number.isSafeInteger(this.value) || this.value < 0) {
      throw this.error("a whole number from 0 on");
    }
    return this.value;
  }

  /** One of these values and nothing else. */
  expect(...values: readonly (string | number | boolean)[]): void {
    if (!values.some((value) => value === this.value)) {
      throw this.error(values.map((value) => JSON.stringify(value)).join(" or "));
    }
  }

  /** No properties but these: one that we do not know may change the ids. */
  expectKeys(keys: readonly string[]): void {
    for (const key of Object.keys(this.object())) {
      if (!keys.includes(key)) throw this.at(key).error(`nothing but ${keys.join(", ")} here`);
    }
  }

  error(expected: string): InputError {
    const found = this.value === undefined ? "nothing" : JSON.stringify(this.value);
    const shown = found.length > 60 ? `${found.slice(0, 60)}…` : found;
    return new InputError(
      `${this.file}: expected ${this.path === "" ? "the document" : this.path} to be ${expected}, found ${shown}; ` +
        `only XLM-R's kind of tokenizer.json is supported, take the model's own file or its sentencepiece.bpe.model`,
    );
  }
}
