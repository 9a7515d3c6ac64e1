/**
 * The index of a tar: its members can then be read in any order, without unpacking.
 *
 * Only headers are read. Long names may be in PAX's format (Python's default) or GNU's.
 */
import { Header, Pax } from "tar";
import { InputError } from "../../errors/input-error.ts";
import { FileSource } from "../files/file-source.ts";
import type { FilePart } from "../../tasks/image-source.ts";
import { SourceList } from "./source-list.ts";

const blockSize = 512;

/** Members per tar, whose places are kept in memory. */
export const mostMembers = 2 ** 21;

/** In bytes of UTF-8, as Linux limits a path. */
const longestPath = 4096;

/** The size of a header that extends the next one, in bytes. */
const largestExtension = 2 ** 20;

type Extended = ConstructorParameters<typeof Header>[2];

/**
 * Lists the regular files in a tar, in its order. A member's name is `TAR:PATH`.
 *
 * @throws InputError if the file is missing, truncated, or not an uncompressed tar; or has more than
 *   {@link mostMembers} members, or a path or header beyond the limits
 */
export async function listTar(path: string): Promise<SourceList<FilePart>> {
  const file = await FileSource.open(path);
  try {
    const members = new SourceList<FilePart>();
    let extended: Extended;
    let global: Extended;
    for (let position = 0; ;) {
      if (position + blockSize > file.size) throw cutShort(path, file.size);
      const block = Buffer.from(file.readSync(position, blockSize));
      const header = readHeader(path, block, position, extended, global);
      if (header.nullBlock) return members;
      if (!header.cksumValid) throw notTar(path, block, position);
      const { size = 0, type } = header;
      if (!(size >= 0)) throw notTar(path, block, position);
      const offset = position + blockSize;
      position = offset + Math.ceil(size / blockSize) * blockSize;
      if (position > file.size) throw cutShort(path, file.size);
      const text = (): string => {
        if (size <= largestExtension) return Buffer.from(file.readSync(offset, size)).toString();
        throw new InputError(
          `${path}: expected headers of at most ${largestExtension} bytes, found ${size} at byte ${offset}; write it again`,
        );
      };
      if (type === "ExtendedHeader") extended = Pax.parse(text(), extended);
      else if (type === "GlobalExtendedHeader") global = Pax.parse(text(), global, true);
      else if (type === "NextFileHasLongPath") extended = { ...extended, path: text().replace(/\0.*$/s, "") };
      else {
        if (type === "File" || type === "OldFile") {
          if (Buffer.byteLength(header.path!) > longestPath || header.path!.includes("\0")) {
            throw new InputError(
              `${path}: expected paths of at most ${longestPath} bytes, none of which is zero, found another one at byte ${offset}; rename the file`,
            );
          }
          members.add({ name: `${path}:${header.path}`, file: path, offset, size });
          if (members.length > mostMembers) {
            throw new InputError(`${path}: expected at most ${mostMembers} files, found more; split the tar`);
          }
        }
        extended = undefined;
      }
    }
  } finally {
    await file.close();
  }
}

/** The tar package throws if a number is not in its format or beyond 2^53. */
function readHeader(
  path: string,
  block: Buffer,
  position: number,
  extended: Extended,
  global: Extended,
): Header {
  try {
    return new Header(block, 0, extended, global);
  } catch {
    throw notTar(path, block, position);
  }
}

function notTar(path: string, block: Buffer, position: number): InputError {
  if (position > 0) return new InputError(`${path}: damaged at byte ${position}; download or write it again`);
  const found = block[0] === 0x1f && block[1] === 0x8b ? "gzip; gunzip it first" : "something else";
  return new InputError(`${path}: expected a tar, found ${found}`);
}

function cutShort(path: string, size: number): InputError {
  return new InputError(
    `${path}: cut short: expected the block that ends a tar, found none in ${size} bytes; download or write it again`,
  );
}
