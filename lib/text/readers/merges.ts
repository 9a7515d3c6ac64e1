/** Reads the merges of the English models' byte pair encoding, as OpenAI published them. */
import { InputError } from "../../errors/input-error.ts";
import type { TokenizerFile } from "../tokenizer.ts";

export interface Merges {
  /** The file's name, for error messages. */
  readonly file: string;
  /** In the order in which they were learned; the index is the rank. */
  readonly pairs: readonly (readonly [left: string, right: string])[];
}

/** 49,408 ids minus 256 for bytes, 256 for bytes at the end of a word, and 2 for the start and the end of a text. */
const mergeCount = 49_408 - 512 - 2;

/** The published file unpacks to 3.2 MB. The limit stops files that unpack to fill the memory. */
const maximumTextBytes = 32 * 1024 * 1024;

/**
 * Reads a file of merges, gzipped or not. The published file has more lines than the models use; both the whole file
 * and one cut to the used lines are accepted.
 *
 * @throws InputError if the file is damaged or has other content
 */
export async function readMerges(file: TokenizerFile): Promise<Merges> {
  const text = await readText(file);
  // The first line is the version of the format.
  const lines = text.split("\n").slice(1, mergeCount + 1);
  const pairs = lines.map((line, index) => {
    const [left, right, ...rest] = line.split(" ");
    if (left === undefined || right === undefined || rest.length > 0) {
      throw new InputError(
        `${file.name}: expected two known pieces in line ${index + 2}, found ${JSON.stringify(line.slice(0, 60))}; ` +
          `use openai/CLIP's bpe_simple_vocab_16e6.txt.gz`,
      );
    }
    return [left, right] as const;
  });
  if (pairs.length < mergeCount) {
    throw new InputError(
      `${file.name}: expected ${mergeCount} merges after the first line, found ${pairs.length}; ` +
        `use openai/CLIP's bpe_simple_vocab_16e6.txt.gz`,
    );
  }
  return { file: file.name, pairs };
}

async function readText({ name, bytes }: TokenizerFile): Promise<string> {
  const isGzipped = bytes[0] === 0x1f && bytes[1] === 0x8b;
  try {
    const plain = isGzipped ? await gunzip(bytes) : bytes;
    return new TextDecoder("utf-8", { fatal: true }).decode(plain);
  } catch (cause) {
    throw new InputError(
      `${name}: expected UTF-8 text, gzipped or not, found other bytes; download the file again`,
      [],
      { cause },
    );
  }
}

async function gunzip(bytes: Uint8Array): Promise<Uint8Array> {
  const stream = new Blob([bytes.slice()]).stream().pipeThrough(new DecompressionStream("gzip"));
  const reader = stream.getReader();
  const parts: Uint8Array[] = [];
  let length = 0;
  for (let part = await reader.read(); !part.done; part = await reader.read()) {
    length += part.value.length;
    if (length > maximumTextBytes) {
      await reader.cancel();
      throw new RangeError(`more than ${maximumTextBytes} bytes`);
    }
    parts.push(part.value);
  }
  const whole = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    whole.set(part, offset);
    offset += part.length;
  }
  return whole;
}
