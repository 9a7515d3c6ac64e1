import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** A new folder for each spec of the describe block that calls this; it is deleted afterwards. */
export function temporaryFolder(): { readonly path: string; file(...parts: string[]): string } {
  let path = "";
  beforeEach(() => {
    path = mkdtempSync(join(tmpdir(), "clipscope-"));
  });
  afterEach(() => {
    rmSync(path, { recursive: true, force: true });
  });
  return {
    get path() {
      return path;
    },
    file: (...parts) => join(path, ...parts),
  };
}
