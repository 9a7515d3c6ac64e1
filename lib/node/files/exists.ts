import { stat } from "node:fs/promises";
import { unreadable } from "./file-source.ts";

/** Errors that do not say whether there is something at a path. */
const unclear = ["EACCES", "EPERM", "ELOOP", "EIO", "EMFILE", "ENFILE"];

/** Whether a file or folder exists. @throws InputError if the system does not say */
export async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    (error: unknown) => {
      if (unclear.includes((error as NodeJS.ErrnoException).code ?? "")) throw unreadable(path, error);
      return false;
    },
  );
}

/** Whether a relative path stays inside the folder it is relative to. */
export function isInside(path: string): boolean {
  return !/^([/\\]|[A-Za-z]:)/.test(path) && !path.split(/[/\\]/).includes("..");
}
