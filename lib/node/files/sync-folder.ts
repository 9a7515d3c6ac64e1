import { open } from "node:fs/promises";

/** Makes renames in a folder survive a power failure. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r").catch((error: unknown) => {
    if (isUnsupported(error)) return null;
    throw error;
  });
  try {
    await folder?.sync();
  } catch (error) {
    if (!isUnsupported(error)) throw error;
  } finally {
    await folder?.close();
  }
}

/** Some systems cannot open or sync folders. */
function isUnsupported(error: unknown): boolean {
  return ["EISDIR", "EPERM", "EINVAL", "EACCES"].includes((error as NodeJS.ErrnoException).code ?? "");
}
