/** Opens files. What opens them is loaded with the first ones. */
import type { DroppedFile } from "./dropped-files.ts";

export async function takeFiles(files: readonly DroppedFile[]): Promise<void> {
  const { openFiles } = await import("./drop.ts");
  await openFiles(files);
}
