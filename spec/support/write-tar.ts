/** Writes tars of small files. */
import { writeFileSync } from "node:fs";
import { tarHeader } from "./tar.ts";

/** A file of a tar. */
export type TarFile = readonly [name: string, content: string | Uint8Array];

/** Writes a tar with these files in this order. */
export function writeTar(path: string, files: readonly TarFile[]): void {
  const parts = files.flatMap(([name, content]) => {
    const bytes = Buffer.from(content as Uint8Array);
    return [tarHeader(name, bytes.length), bytes, Buffer.alloc((512 - (bytes.length % 512)) % 512)];
  });
  writeFileSync(path, Buffer.concat([...parts, Buffer.alloc(1024)]));
}
