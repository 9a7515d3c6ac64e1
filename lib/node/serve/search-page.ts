/** The files of the page that searches a server's indices. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "../../errors/input-error.ts";
import { exists } from "../files/exists.ts";
import { addFolder, type Entry, type Manifest } from "../http/send-file.ts";

/** The built page. */
const pageFolder = fileURLToPath(new URL("../../../search-page", import.meta.url));

/** @throws InputError if the page is not built */
export async function searchPage(): Promise<Manifest> {
  const index = join(pageFolder, "index.html");
  if (!(await exists(index))) {
    throw new InputError(`${pageFolder}: the page is not built; run "npm run build"`);
  }
  const manifest = new Map<string, Entry>();
  await addFolder(manifest, pageFolder, "/");
  manifest.set("/", { file: index });
  return manifest;
}
