import { open } from "node:fs/promises";

/** Brings a file's content to the disk, so that it stays after a power failure. */
export async function syncFile(path: string): Promise<void> {
  const file = await open(path, "r+");
  try {
    await file.sync();
  } finally {
    await file.close();
  }
}
