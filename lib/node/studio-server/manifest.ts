/** The files that the studio's server sends, by their path in the address. Other files cannot be asked for. */
import { readdir } from "node:fs/promises";
import { join, relative, sep } from "node:path";
import { fileURLToPath } from "node:url";
import { InputError } from "../../errors/input-error.ts";
import { exists } from "../files/exists.ts";
import { demoModel } from "../models/model-directory.ts";

/** A file, or a document that is made for this run. */
export type Entry = { readonly file: string } | { readonly json: unknown };

export type Manifest = ReadonlyMap<string, Entry>;

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

async function addFolder(manifest: Map<string, Entry>, folder: string, prefix: string): Promise<void> {
  for (const entry of await readdir(folder, { recursive: true, withFileTypes: true })) {
    if (!entry.isFile()) continue;
    const file = join(entry.parentPath, entry.name);
    manifest.set(prefix + relative(folder, file).split(sep).join("/"), { file });
  }
}
