/**
 * A folder that appears whole or not at all: it is filled under another name beside its place and then renamed.
 *
 * Whatever happens on the way, nothing stands at its place that is not whole; after a kill or a power failure the half
 * of it lies beside, under a name that says so. A kill between the two renames that put it in an older one's place
 * leaves both whole beside it: the next run finishes that.
 */
import { rmSync } from "node:fs";
import { mkdir, mkdtemp, open, readdir, rename, rm, stat } from "node:fs/promises";
import { basename, dirname, join, resolve } from "node:path";
import { configName, exists } from "../../lib/node/models/model-directory.ts";
import { InputError } from "../../lib/errors/input-error.ts";

/**
 * Fills a folder and puts it in its place.
 *
 * @param isReplacing an existing model directory gives way, once the new one is whole
 * @throws InputError if something stands there already that may not be replaced
 */
export async function withNewFolder<T>(
  destination: string,
  isReplacing: boolean,
  fill: (folder: string) => Promise<T>,
): Promise<T> {
  const place = resolve(destination);
  await mkdir(dirname(place), { recursive: true });
  await finishReplacing(place);
  await assertFree(destination, isReplacing);
  const folder = await mkdtemp(`${place}.partial-`);
  const cleanUp = (signal: NodeJS.Signals): void => {
    rmSync(folder, { recursive: true, force: true });
    process.kill(process.pid, signal);
  };
  process.once("SIGINT", cleanUp).once("SIGTERM", cleanUp);
  try {
    const result = await fill(folder);
    await syncFolder(folder);
    if (await exists(place)) {
      const old = folder.replace(partialName, ".replaced-$1");
      await rename(place, old);
      await rename(folder, place);
      await syncFolder(dirname(place));
      await rm(old, { recursive: true });
    } else {
      await rename(folder, place);
      await syncFolder(dirname(place));
    }
    return result;
  } finally {
    process.off("SIGINT", cleanUp).off("SIGTERM", cleanUp);
    await rm(folder, { recursive: true, force: true });
  }
}

const partialName = /\.partial-(\w+)$/;

/**
 * Ends what a run was killed at while it put one folder in the place of another: the new one is whole by then, for the
 * old one moves away last.
 */
async function finishReplacing(place: string): Promise<void> {
  const folder = dirname(place);
  const [prefix, suffix] = [`${basename(place)}.replaced-`, /^\w{6}$/];
  for (const name of await readdir(folder)) {
    const run = name.slice(prefix.length);
    if (!name.startsWith(prefix) || !suffix.test(run)) continue;
    const [old, whole] = [join(folder, name), `${place}.partial-${run}`];
    // Whose name only looks so is not ours to delete.
    if ((await strangers(old, "")).length > 0) continue;
    if (!(await exists(place))) await rename((await exists(whole)) ? whole : old, place);
    await syncFolder(folder);
    await rm(old, { recursive: true, force: true });
  }
}

/** @throws InputError if something stands at a place and may not be replaced */
async function assertFree(destination: string, isReplacing: boolean): Promise<void> {
  if (!(await exists(destination))) return;
  if (!(await stat(destination)).isDirectory()) {
    throw new InputError(`${destination}: expected a folder to write to, found a file`);
  }
  if (!isReplacing) throw new InputError(`${destination}: is there already; --force replaces it`);
  const strange = await strangers(destination, "");
  const isModel = (await readdir(destination)).some((name) => name === configName || isWeights(name));
  if (strange.length > 0 || !isModel) {
    throw new InputError(
      `${destination}: --force replaces model directories, and this one ${isModel ? "holds other things too" : "is none"}; choose another folder`,
      strange.slice(0, 20),
    );
  }
}

function isWeights(name: string): boolean {
  return /\.(safetensors|safetensors\.index\.json|bin|pt)$/.test(name);
}

/** What does not belong to a model directory, or lies deeper than its text network's folder. */
async function strangers(directory: string, below: string): Promise<string[]> {
  const found: string[] = [];
  for (const entry of await readdir(join(directory, below), { withFileTypes: true })) {
    const path = join(below, entry.name);
    if (entry.isDirectory() && below === "") found.push(...(await strangers(directory, path)));
    else if (
      !entry.isFile() ||
      !/\.(json|safetensors|bin|pt|model|txt|gz|md)$|^\.gitattributes$/.test(entry.name)
    ) {
      found.push(path);
    }
  }
  return found;
}

/** Makes names in a folder survive a power failure. */
export async function syncFolder(path: string): Promise<void> {
  const folder = await open(path, "r");
  try {
    await folder.sync();
  } catch (error) {
    // Some systems cannot sync folders.
    if (!["EISDIR", "EPERM", "EINVAL"].includes((error as NodeJS.ErrnoException).code ?? "")) throw error;
  } finally {
    await folder.close();
  }
}
