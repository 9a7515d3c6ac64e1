/** The members of a small tar in memory. `DatasetFiles.tar` reads those on the disk. */
import { InputError } from "../errors/input-error.ts";

const block = 512;

/**
 * The regular files of a tar, by their paths. Long names in PAX's or GNU's format are not read.
 *
 * @param where the file, for errors
 * @throws InputError if it is cut short, or not a tar
 */
export function membersOfTar(bytes: Uint8Array, where: string): Map<string, Uint8Array> {
  const members = new Map<string, Uint8Array>();
  const ascii = (start: number, length: number): string =>
    new TextDecoder("latin1").decode(bytes.subarray(start, start + length)).replace(/\0.*$/s, "");
  for (let at = 0; at + block <= bytes.length && bytes[at] !== 0;) {
    const size = Number.parseInt(ascii(at + 124, 12).trim(), 8);
    const start = at + block;
    if (!(size >= 0) || start + size > bytes.length) {
      throw new InputError(`${where}: damaged at byte ${at} of the tar; download it again`);
    }
    const isFile = ["", "0"].includes(ascii(at + 156, 1));
    if (isFile) members.set(ascii(at, 100), bytes.subarray(start, start + size));
    at = start + Math.ceil(size / block) * block;
  }
  return members;
}
