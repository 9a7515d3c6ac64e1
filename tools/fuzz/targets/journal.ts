/** Journals of an embedding: a run continues them, with each input once, or leaves them as they are. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { toBase64 } from "../../../lib/features/base64.ts";
import { readEmbedPiece, widthsOf, type EmbedPiece } from "../../../lib/features/embed-piece.ts";
import { resume, type JournalKey, type Work } from "../../../lib/features/journal.ts";
import { nodeFileSystem } from "../../../lib/node/files/file-system.ts";
import { InputError } from "../../../lib/errors/input-error.ts";
import { crc32 } from "../../../lib/tensor/crc32.ts";
import type { Random } from "../../demo-model/random.ts";
import { json } from "../fixtures.ts";
import { mutateBytes } from "../mutate-bytes.ts";
import { duplicateKey, mutateJson } from "../mutate-json.ts";
import { partMutation } from "../parts.ts";
import type { CreateTarget } from "../target.ts";

const key = { model: "demo", images: "0123456789abcdef".repeat(4) };
const lineBreak = 10;
const inputs = 7;
const taps = 2;

/** Changes of a line's text. */
const changes = [mutateJson, duplicateKey, mutateBytes];

function split(journal: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let at = 0; at < journal.length;) {
    const end = journal.indexOf(lineBreak, at);
    lines.push(journal.subarray(at, end === -1 ? journal.length : end + 1));
    at = end === -1 ? journal.length : end + 1;
  }
  return lines;
}

/** A line with the checksum that belongs to its text. */
function withChecksum(text: Uint8Array): Uint8Array {
  return Buffer.from(`${crc32(text).toString(16).padStart(8, "0")} ${new TextDecoder().decode(text)}\n`);
}

/** The batch of the inputs from `done`, of which every third cannot be read. */
function batch(done: number, size: number): EmbedPiece {
  const all = Array.from({ length: size }, (_, i) => done + i);
  const embedded = all.filter((input) => input % 3 !== 2);
  const values = new Uint8Array(Float32Array.from(embedded.flatMap((input) => [input, 0.5])).buffer);
  return {
    done: done + size,
    embedded,
    failed: all.filter((input) => input % 3 === 2).map((input) => `${input}.png: é`),
    features: Array.from({ length: taps }, () => toBase64(values)),
  };
}

/** Work like that of `embedImagesToFile`, without a model. @param stopAfter pieces, before an error */
function embed(stopAfter: number): Work<EmbedPiece, string> {
  let done = 0;
  let made = 0;
  let failures = 0;
  const rows: number[] = [];
  return {
    readPiece: (value, previous) => readEmbedPiece(value, previous, inputs, taps),
    onPiece: (piece) => {
      done = piece.done;
      failures += piece.failed.length;
      for (const input of piece.embedded) rows.push(input);
    },
    async *remaining() {
      while (done < inputs) {
        if (made++ === stopAfter) throw new Stopped();
        yield await Promise.resolve(batch(done, Math.min(2, inputs - done)));
      }
    },
    finish: async (pieces) => {
      const again: number[] = [];
      const widths = new Set<string>();
      for await (const piece of pieces()) {
        for (const input of piece.embedded) again.push(input);
        widths.add(widthsOf(piece).join());
      }
      if (again.join() !== rows.join()) throw new Error(`rows ${rows.join()}, then ${again.join()}`);
      if (rows.length + failures !== inputs) throw new Error(`${rows.length} rows and ${failures} errors`);
      if (rows.some((row, i) => i > 0 && row <= rows[i - 1]!)) throw new Error(`rows ${rows.join()}`);
      if (widths.size > 1) throw new Error(`widths ${[...widths].join(" and ")}`);
      return made === 0 ? "complete" : `${made} batches done`;
    },
  };
}

class Stopped extends Error {}

/** What a run leaves that stops after some pieces. */
async function unfinished(path: string, key: JournalKey, pieces: number): Promise<Uint8Array> {
  await resume(nodeFileSystem, path, key, embed(pieces)).catch((error: unknown) => {
    if (!(error instanceof Stopped)) throw error;
  });
  const journal = new Uint8Array(readFileSync(path));
  rmSync(path);
  return journal;
}

/** Changes a number, a list or a text of a piece to one that a piece could have. */
function otherField(text: Uint8Array, random: Random): Uint8Array {
  const piece = JSON.parse(new TextDecoder().decode(text)) as Record<string, unknown>;
  const donor = batch(random.below(inputs), random.below(4)) as unknown as Record<string, unknown>;
  const name = random.pick(["done", "embedded", "failed", "features"]);
  return json({ ...piece, [name]: donor[name] });
}

function changeLine(line: Uint8Array, random: Random, donor: Uint8Array): Uint8Array {
  const isPiece = line.length > 9 && line[8] === 0x20;
  if (!isPiece || random.chance(0.2)) return random.pick(changes)(line, random, donor);
  const text = line.subarray(9, line.at(-1) === lineBreak ? -1 : line.length);
  if (random.chance(0.4)) {
    try {
      return withChecksum(otherField(text, random));
    } catch {
      // It is no longer JSON.
    }
  }
  return withChecksum(random.pick(changes)(text, random, donor.subarray(9)));
}

export const create: CreateTarget = async (folder) => {
  const path = join(folder, "out.journal");
  const journal = await unfinished(path, key, 3);
  return {
    seeds: [
      journal,
      journal.slice(0, -3),
      await unfinished(path, key, 1),
      await unfinished(path, { ...key, model: "other" }, 2),
      new TextEncoder().encode(`${JSON.stringify(key)}\n`),
      new Uint8Array(0),
    ],
    mutations: [
      partMutation({ split, join: (parts) => Uint8Array.from(Buffer.concat(parts)), change: changeLine }),
    ],
    async run(input) {
      writeFileSync(path, input);
      try {
        return await resume(nodeFileSystem, path, key, embed(inputs));
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        if (Buffer.compare(readFileSync(path), input) !== 0)
          throw new Error("a refused journal was changed", { cause: error });
        throw error;
      }
    },
    maxSize: 8192,
  };
};
