/**
 * Writes the studio as a static site: the page and the demo model, for any folder of any host.
 *
 *     npm run studio:site -- [FOLDER]      default: site
 *
 * The folder must be new, empty or written by this program before.
 */
import { createHash } from "node:crypto";
import { copyFile, mkdir, readdir, readFile, rename, rm, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { gzipSync } from "node:zlib";
import { InputError } from "../../lib/errors/input-error.ts";
import { studioManifest } from "../../lib/node/studio-server/manifest.ts";

/** What the site's service worker keeps; also marks a folder as written by this program. */
const listName = "files.json";

export interface SiteFile {
  /** From the site's root. */
  readonly path: string;
  /** In bytes. */
  readonly size: number;
  /** In bytes, compressed by gzip as most hosts send it. */
  readonly sent: number;
}

/**
 * Writes the site.
 *
 * @throws InputError if the folder holds something else, or the page is not built
 */
export async function writeSite(folder: string): Promise<readonly SiteFile[]> {
  const found = await readdir(folder).catch((): string[] => []);
  if (found.length > 0 && !found.includes(listName)) {
    throw new InputError(`${folder}: expected a new or empty folder, or a site; found ${found[0]!}`);
  }
  // Written beside the old site, which is replaced when the new one is complete.
  const written = `${resolve(folder)}.new`;
  await rm(written, { recursive: true, force: true });
  const files: SiteFile[] = [];
  const digest = createHash("sha256");
  for (const [address, entry] of await studioManifest()) {
    const path = address.slice(1);
    if (path === "" || "json" in entry) continue; // the root is index.html
    const bytes = await readFile(entry.file);
    digest.update(path).update(bytes);
    await mkdir(dirname(join(written, path)), { recursive: true });
    await copyFile(entry.file, join(written, path));
    files.push({ path, size: bytes.length, sent: gzipSync(bytes).length });
  }
  const version = digest.digest("hex").slice(0, 16);
  await writeFile(join(written, "studio.json"), JSON.stringify({ server: null, offline: version }));
  // A host asked for the folder sends index.html; the worker must find both addresses.
  const kept = [
    "./",
    "studio.json",
    ...files.map(({ path }) => path).filter((path) => path !== "offline.js"),
  ];
  await writeFile(join(written, listName), JSON.stringify({ files: kept }));
  await rm(folder, { recursive: true, force: true });
  await rename(written, folder);
  return files;
}

function report(folder: string, files: readonly SiteFile[]): void {
  const sum = (key: "size" | "sent"): string =>
    `${(files.reduce((all, file) => all + file[key], 0) / 1e6).toFixed(2)} MB`;
  console.log(`${folder}: ${files.length} files, ${sum("size")}, ${sum("sent")} compressed`);
  for (const { path, sent } of [...files].sort((a, b) => b.sent - a.sent).slice(0, 5)) {
    console.log(`  ${(sent / 1e6).toFixed(2)} MB  ${path}`);
  }
  console.log(`Copy it to any web host, or try it:  npx http-server ${folder}`);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const folder = process.argv[2] ?? "site";
  try {
    report(folder, await writeSite(folder));
  } catch (error) {
    if (!(error instanceof InputError)) throw error;
    console.error(error.message);
    process.exitCode = 2;
  }
}
