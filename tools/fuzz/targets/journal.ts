/** Journals of unfinished work: a run continues them or leaves them as they are. */
import { readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { resume } from "../../../lib/features/journal.ts";
import { nodeFileSystem } from "../../../lib/node/files/file-system.ts";
import { duplicateKey, mutateJson } from "../mutate-json.ts";
import { InputError } from "../../../lib/errors/input-error.ts";
import { partMutation } from "../parts.ts";
import { mutateBytes } from "../mutate-bytes.ts";
import type { CreateTarget } from "../target.ts";

const key = { model: "demo", images: "0123456789abcdef".repeat(4) };
const lineBreak = 10;

function split(journal: Uint8Array): Uint8Array[] {
  const lines: Uint8Array[] = [];
  for (let at = 0; at < journal.length;) {
    const end = journal.indexOf(lineBreak, at);
    lines.push(journal.subarray(at, end === -1 ? journal.length : end + 1));
    at = end === -1 ? journal.length : end + 1;
  }
  return lines;
}

function lines(...values: readonly unknown[]): Uint8Array {
  return new TextEncoder().encode(values.map((value) => `${JSON.stringify(value)}\n`).join(""));
}

export const create: CreateTarget = (folder) => {
  const path = join(folder, "out.journal");
  return {
    seeds: [
      lines(key, { rows: [1] }, { rows: [2] }),
      lines(key),
      lines({ ...key, model: "other" }, { rows: [1] }),
      lines({ ...key, images: "0".repeat(64) }, { rows: [1] }).slice(0, -3),
      new Uint8Array(0),
    ],
    mutations: [
      partMutation({
        split,
        join: (parts) => Uint8Array.from(Buffer.concat(parts)),
        change: (line, random, donor) =>
          random.pick([mutateJson, duplicateKey, mutateBytes])(line, random, donor),
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
        const isSettings = /other settings/.test(error.message);
        if (isSettings && Buffer.compare(readFileSync(path), input) !== 0)
          throw new Error("a refused journal was changed", { cause: error });
        throw error;
      }
      return pieces > 1 ? "continued" : "begun again";
    },
    maxSize: 4096,
  };
};
