/**
 * Creates a folder atomically: it is filled under a temporary name next to its destination and then renamed.
 *
 * The destination is never incomplete. A killed run or a power failure leaves a `.partial-` folder next to it, which the
 * next run removes.
 * Replacing an older folder takes two renames; if a run is killed between them, both folders remain, complete, and the
 * next run finishes the replacement.
 */
import { randomBytes } from "node:crypto";
import { mkdir, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { makeFolder } from "../../lib/node/files/make-folder.ts";
import { explainWriting } from "../../lib/node/files/output-path.ts";
import { removeAtExit } from "../../lib/node/files/remove-at-exit.ts";
import { lockOrRefuse } from "../../lib/node/files/reserve-output.ts";
import { syncFolder } from "../../lib/node/files/sync-folder.ts";
import { exists } from "../../lib/node/files/exists.ts";
import { configName } from "../../lib/node/models/model-directory.ts";
import { InputError } from "../../lib/errors/input-error.ts";

/**
 * Fills a folder and moves it to its destination.
 *
 * @param isReplacing replace an existing model directory once the new one is complete
 * @throws InputError if the destination exists and may not be replaced, another process writes to it, or the disk is
 *   full or fails
 */
export async function withNewFolder<T>(
  destination: string,
  isReplacing: boolean,
  fill: (folder: string) => Promise<T>,
): Promise<T> {
  const place = resolve(destination);
  await makeFolder(dirname(place));
  const release = await lockOrRefuse(place, destination);
  try {
    return await fillAndMove(destination, place, isReplacing, fill);
  } catch (error) {
    throw explainWriting(destination, error);
  } finally {
    await release();
  }
}

async function fillAndMove<T>(
  destination: string,
  place: string,
  isReplacing: boolean,
  fill: (folder: string) => Promise<T>,
): Promise<T> {
  await finishReplacing(place);
  await removePartial(place);
  await assertFree(destination, isReplacing);
  const run = randomBytes(3).toString("hex");
  const [folder, old] = [`${place}.partial-${run}`, `${place}.replaced-${run}`];
  await mkdir(folder);
  const keep = removeAtExit(folder);
  try {
    const result = await fill(folder);
    await syncFolder(folder);
    // The destination may have changed while the folder was filled.
    await assertFree(destination, isReplacing);
    keep(); // from here on, the folder may be the only complete one
    await replace(place, folder, old);
    return result;
  } finally {
    keep();
    // If the old folder could not be moved back, the next run finishes.
    if (!(await exists(old))) await rm(folder, { recursive: true, force: true }).catch(() => undefined);
  }
}

/** Moves a folder to its destination, and what is there to `old`, which is deleted. After an error nothing has changed. */
async function replace(place: string, folder: string, old: string): Promise<void> {
  const isThere = await exists(place);
  if (isThere) await rename(place, old);
  try {
    await rename(folder, place);
    await syncFolder(dirname(place));
  } catch (error) {
    if (await exists(place)) await rename(place, folder);
    if (isThere) await rename(old, place);
    throw error;
  }
  if (isThere) await rm(old, { recursive: true });
}

/** The folders next to a destination that killed runs left behind. */
async function leftovers(place: string, kind: "partial" | "replaced"): Promise<string[]> {
  const prefix = `${basename(place)}.${kind}-`;
  const names = await readdir(dirname(place));
  return names.filter((name) => name.startsWith(prefix) && /^\w{6}$/.test(name.slice(prefix.length)));
}

/**
 * Finishes the replacement that a killed run had begun. The new folder is complete, because the old one is moved away
 * only then.
 */
async function finishReplacing(place: string): Promise<void> {
  const folder = dirname(place);
  for (const name of await leftovers(place, "replaced")) {
    const [old, whole] = [join(folder, name), `${place}.partial-${name.slice(-6)}`];
    // A folder with other files is not from this program, whatever its name.
    if ((await foreignFiles(old, "")).length > 0) continue;
    if (!(await exists(place))) await rename((await exists(whole)) ? whole : old, place);
    await syncFolder(folder);
    await rm(old, { recursive: true, force: true });
  }
}

/** Removes what killed runs left behind. No other process writes to the destination while it is locked. */
async function removePartial(place: string): Promise<void> {
  for (const name of await leftovers(place, "partial")) {
    const partial = join(dirname(place), name);
    // A folder with other files is not from this program, whatever its name.
    const foreign = (await foreignFiles(partial, "")).filter(
      (path) => !path.endsWith(".safetensors.partial"),
    );
    if (foreign.length === 0) await rm(partial, { recursive: true, force: true });
  }
}

/** @throws InputError if the destination exists and may not be replaced */
async function assertFree(destination: string, isReplacing: boolean): Promise<void> {
  if (!(await exists(destination))) return;
  if (!(await stat(destination)).isDirectory()) {
    throw new InputError(`${destination}: expected a folder to write to, found a file`);
  }
  if (!isReplacing) throw new InputError(`${destination}: already exists; use --force to replace it`);
  const foreign = await foreignFiles(destination, "");
  const isModel = (await readdir(destination)).some((name) => name === configName || isWeights(name));
  if (foreign.length > 0 || !isModel) {
    throw new InputError(
      `${destination}: --force only replaces model directories, and this ${isModel ? "folder holds other files too" : "is another kind of folder"}; choose another folder`,
      foreign.slice(0, 20),
    );
  }
}

function isWeights(name: string): boolean {
  return /\.(safetensors|safetensors\.index\.json|bin|pt)$/.test(name);
}

/** Files that a model directory does not have, and folders deeper than its text network's. */
async function foreignFiles(directory: string, below: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(directory, below), { withFileTypes: true })) {
    const path = join(below, entry.name);
    if (entry.isDirectory() && below === "") {
      for (const file of await foreignFiles(directory, path)) found.push(file);
    } else if (
      !entry.isFile() ||
      !/\.(json|safetensors|bin|pt|model|txt|gz|md)$|^\.gitattributes$/.test(entry.name)
    ) {
      found.push(path);
    }
  }
  return found;
}
