/** The files that the studio's server sends, by their path in the address. Other files cannot be asked for. */
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "../../errors/input-error.ts";
import { exists } from "../files/exists.ts";
import { addFolder, type Entry, type Manifest } from "../http/send-file.ts";
import { demoModel } from "../models/model-directory.ts";

/** The built page. */
const pageFolder = fileURLToPath(new URL("../../../studio", import.meta.url));

/**
 * The page and the demo model.
 *
 * @param server what the page must know of a server that runs the network; null if the page runs the demo model
 * @throws InputError if the page is not built
 */
export async function studioManifest(server: { readonly version: string } | null = null): Promise<Manifest> {
  const manifest = new Map<string, Entry>();
  if (!(await exists(join(pageFolder, "index.html")))) {
    throw new InputError(`${pageFolder}: the page is not built; run "npm run build"`);
  }
  await addFolder(manifest, pageFolder, "/");
  manifest.set("/", { file: join(pageFolder, "index.html") });
  await addFolder(manifest, demoModel, "/demo/");
  manifest.set("/studio.json", {
    json: { server },
  });
  return manifest;
}
