/** A file of JSON objects, one per line, that grows while a program runs. */
import { appendFile, readFile } from "node:fs/promises";
import { exists } from "./exists.ts";
import { unwritable } from "./output-path.ts";
import { writeWhole } from "./write-file.ts";

export class JsonLines<T extends object> {
  readonly path: string;

  constructor(path: string) {
    this.path = path;
  }

  /** @throws InputError if the disk is full, or fails */
  async append(line: T): Promise<void> {
    await appendFile(this.path, `${JSON.stringify(line)}\n`).catch((error: unknown) => {
      throw unwritable(this.path, error);
    });
  }

  /** The lines up to the first that a killed process left incomplete; none if the file is missing. */
  async read(): Promise<T[]> {
    const text = await readFile(this.path, "utf8").catch(() => "");
    const lines: T[] = [];
    for (const line of text.split("\n").slice(0, -1)) {
      try {
        lines.push(JSON.parse(line) as T);
      } catch {
        break;
      }
    }
    return lines;
  }

  /** Removes the other lines. */
  async keep(isKept: (line: T) => boolean): Promise<void> {
    if (!(await exists(this.path))) return;
    const kept = (await this.read()).filter(isKept);
    const text = kept.map((line) => `${JSON.stringify(line)}\n`).join("");
    await writeWhole(this.path, [new TextEncoder().encode(text)]);
  }
}
