/** Whether there is room for what is to be written. */
import { statfs } from "node:fs/promises";
import { InputError } from "../../errors/input-error.ts";

/**
 * @param folder on the disk in question
 * @param name the place as people know it, for the message
 * @throws InputError if the disk has not so many bytes left
 */
export async function assertSpace(folder: string, bytes: number, name: string = folder): Promise<void> {
  const { bavail, bsize } = await statfs(folder);
  if (bavail * bsize >= bytes) return;
  const gigabytes = (count: number): string => `${(count / 1e9).toFixed(2)} GB`;
  throw new InputError(
    `${name}: expected ${gigabytes(bytes)} of free space, found ${gigabytes(bavail * bsize)}; make room or choose another disk`,
  );
}

/** What to say if it was the disk, or the quota or limit on it, that kept something from being written; else nothing. */
export function diskFull(name: string, error: unknown): InputError | undefined {
  const reasons: Record<string, string> = {
    ENOSPC: "the disk is full; make room or choose another disk",
    EDQUOT: "your share of the disk is full; make room or choose another disk",
    EFBIG: "a file may not grow so large here (ulimit -f, or the file system); choose another disk",
  };
  const reason = reasons[(error as NodeJS.ErrnoException).code ?? ""];
  return reason === undefined ? undefined : new InputError(`${name}: ${reason}`, [], { cause: error });
}
