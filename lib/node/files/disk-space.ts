/** Checks of the free disk space. */
import { statfs } from "node:fs/promises";
import { InputError } from "../../errors/input-error.ts";

/**
 * @param folder on the disk to check
 * @param name the output, for the message
 * @throws InputError if the disk has fewer free bytes
 */
export async function assertSpace(folder: string, bytes: number, name: string = folder): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= bytes) return;
  const gigabytes = (count: number): string => `${(count / 1e9).toFixed(2)} GB`;
  throw new InputError(
    `${name}: expected ${gigabytes(bytes)} of free space, found ${gigabytes(bavail * bsize)}; make room or choose another disk`,
  );
}

/** The error if a file could not be written because of a full disk, a quota or a limit; undefined for other causes. */
export function diskFull(name: string, error: unknown): InputError | undefined {
  const reasons: Record<string, string> = {
    ENOSPC: "the disk is full; make room or choose another disk",
    EDQUOT: "your disk quota is exceeded; make room or choose another disk",
    EFBIG: "the file exceeds the size limit (ulimit -f, or the file system's); choose another disk",
  };
  const reason = reasons[(error as NodeJS.ErrnoException).code ?? ""];
  return reason === undefined ? undefined : new InputError(`${name}: ${reason}`, [], { cause: error });
}
