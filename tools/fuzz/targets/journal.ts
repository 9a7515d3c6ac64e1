/** Journals of unfinished work: a run continues them or leaves them as they are. */
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { crc32 } from "../../../lib/tensor/crc32.ts";
import { resume, type JournalKey } from "../../../lib/features/journal.ts";
import { nodeFileSystem } from "../../../lib/node/files/file-system.ts";
import { duplicateKey, mutateJson } from "../mutate-json.ts";
import { InputError } from "../../../lib/errors/input-error.ts";
import { partMutation } from "../parts.ts";
import { mutateBytes } from "../mutate-bytes.ts";
import type { CreateTarget } from "../target.ts";

const key = { model: "demo", images: "0123456789abcdef".repeat(4) };
const lineBreak = 10;

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
function withChecksum(line: Uint8Array): Uint8Array {
  const text = line.subarray(9, line.at(-1) === lineBreak ? -1 : line.length);
  return Buffer.from(`${crc32(text).toString(16).padStart(8, "0")} ${new TextDecoder().decode(text)}\n`);
}

/** What a run leaves that stops after two pieces. */
async function unfinished(path: string, key: JournalKey): Promise<Uint8Array> {
  const stop = new Error("stopped");
  const work = {
    onPiece: () => undefined,
    async *remaining() {
      yield await Promise.resolve({ rows: [1] });
      yield { rows: [2], failures: ["a.png: é"] };
      throw stop;
    },
    finish: () => Promise.resolve(),
  };
  await resume(nodeFileSystem, path, key, work).catch((error: unknown) => {
    if (error !== stop) throw error;
  });
  const journal = new Uint8Array(readFileSync(path));
  rmSync(path);
  return journal;
}

export const create: CreateTarget = async (folder) => {
  const path = join(folder, "out.journal");
  const journal = await unfinished(path, key);
  return {
    seeds: [
      journal,
      journal.slice(0, -3),
      await unfinished(path, { ...key, model: "other" }),
      new TextEncoder().encode(`${JSON.stringify(key)}\n`),
      new Uint8Array(0),
    ],
    mutations: [
      partMutation({
        split,
        join: (parts) => Uint8Array.from(Buffer.concat(parts)),
        change: (line, random, donor) => {
          const isPiece = line.length > 9 && line[8] === 0x20;
          if (!isPiece || random.chance(0.3)) return random.pick(changes)(line, random, donor);
          const json = random.pick(changes)(line.subarray(9), random, donor.subarray(9));
          return withChecksum(Buffer.concat([line.subarray(0, 9), json]));
        },
      }),
    ],
    async run(input) {
      writeFileSync(path, input);
      let pieces = 0;
      try {
        await resume(nodeFileSystem, path, key, {
          onPiece: () => pieces++,
          async *remaining() {
            yield await Promise.resolve({ rows: [3] });
          },
          finish: async (all) => {
            let again = 0;
            for await (const piece of all()) again += Number(typeof piece === "object");
            if (again !== pieces) throw new Error(`${pieces} pieces, then ${again}`);
          },
        });
      } catch (error) {
        if (!(error instanceof InputError)) throw error;
        if (Buffer.compare(readFileSync(path), input) !== 0)
          throw new Error("a refused journal was changed", { cause: error });
        throw error;
      }
      return pieces > 1 ? "continued" : "begun again";
    },
    maxSize: 4096,
  };
};
