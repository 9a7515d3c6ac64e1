/** Makes and removes the native build: libtensorflow and tfjs-node's binding, with a check of their results. */
import { existsSync } from "node:fs";
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";

import {
  buildFolderName,
  cacheFolder,
  manifestName,
  type NativeBuild,
  nativeBuildFormat,
  nativeBuilds,
  type NativeManifest,
  platformTag,
} from "../../lib/node/native/native-build.ts";
import { describeHolder, takeLock } from "../../lib/node/files/lock.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { compileBinding, tfjsNode } from "./binding.ts";
import type { Checked } from "./check.ts";
import { lastLines, type Progress, run } from "./run.ts";
import { fetchLibrary, noSpace, type Source, sourceLabel } from "./sources.ts";

/** The steps that use the network or other programs. Specs replace them. */
export interface Steps {
  readonly fetchLibrary: typeof fetchLibrary;
  readonly compileBinding: typeof compileBinding;
  readonly checkBuild: typeof checkBuild;
}

const realSteps: Steps = { fetchLibrary, compileBinding, checkBuild };

export interface BuildRequest {
  readonly source: Source;
  readonly gpu: boolean;
  /** Build even if a build exists. */
  readonly force: boolean;
  readonly cache?: string;
  readonly progress?: Progress;
}

export interface BuildResult {
  readonly build: NativeBuild;
  /** The results of the check; undefined if the build existed before. */
  readonly checked: Checked | undefined;
}

/** Prefix of the folders of unfinished builds. Folders of builds start with "native-". */
const unfinished = "building-";

/** Limit for the relative difference from WASM's product. Rounding in float32 gives about 3e-7. */
const tolerance = 1e-5;

/**
 * Builds the native TensorFlow backend in the cache folder and replaces an older build.
 *
 * @throws InputError if something is missing or wrong; nothing is left behind
 */
export async function buildNative(request: BuildRequest, steps: Steps = realSteps): Promise<BuildResult> {
  refusePlatform(process.platform);
  const cache = request.cache ?? cacheFolder();
  const progress = request.progress ?? (() => undefined);

  const present = nativeBuilds(cache).find(({ manifest }) => satisfies(manifest, request));
  if (present && !request.force) return { build: present, checked: undefined };

  try {
    await mkdir(cache, { recursive: true });
    const release = await lockBuilds(cache);
    try {
      await removeUnfinished(cache);
      return await buildLocked(request, steps, cache, progress);
    } finally {
      await removeUnfinished(cache);
      await release();
    }
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === "ENOSPC" || code === "EDQUOT") throw noSpace(cache);
    if (code === "EACCES" || code === "EROFS" || code === "EPERM") {
      throw new InputError(`${cache} is not writable; set CLIPSCOPE_CACHE to another folder`, [], {
        cause: error,
      });
    }
    throw error;
  }
}

/** @throws InputError if the platform is not supported */
export function refusePlatform(platform: NodeJS.Platform): void {
  if (platform === "linux" || platform === "darwin") return;
  const name = platform === "win32" ? "Windows" : platform;
  throw new InputError(
    `a native build is not supported on ${name}; use --backend wasm${platform === "win32" ? ", or Linux under WSL" : ""}`,
  );
}

function satisfies(manifest: NativeManifest, { source, gpu }: BuildRequest): boolean {
  // A build from any source will do if no source was named.
  return manifest.gpu === gpu && (source.kind === "auto" || manifest.source === sourceLabel(source));
}

async function buildLocked(
  request: BuildRequest,
  steps: Steps,
  cache: string,
  progress: Progress,
): Promise<BuildResult> {
  const work = await mkdtemp(join(cache, `${unfinished}${platformTag}-`));
  const folder = join(work, "build");
  await mkdir(folder);
  const { gpu, source } = request;
  const library = await steps.fetchLibrary(source, { gpu, work, site: join(folder, "site"), progress });
  await steps.compileBinding({ library, build: folder, work, progress });
  progress("checking a matrix product against WASM");
  const checked = await steps.checkBuild(folder, library.label);

  const manifest: NativeManifest = {
    format: nativeBuildFormat,
    tensorflow: checked.tensorflow,
    tfjsNode: tfjsNode.version,
    gpu,
    source: library.label,
  };
  await writeFile(join(folder, manifestName), `${JSON.stringify(manifest, undefined, 2)}\n`);

  const target = join(cache, buildFolderName(manifest.tensorflow, gpu));
  for (const old of await buildFolders(cache)) await rename(old, join(work, basename(old)));
  await rename(folder, target);
  return { build: { folder: target, manifest }, checked };
}

/**
 * Opens a build in a child process and compares a matrix product with WASM's.
 *
 * @throws InputError if it cannot be opened or computes a wrong result
 */
export async function checkBuild(folder: string, label: string): Promise<Checked> {
  const script = fileURLToPath(new URL("check.js", import.meta.url));
  const { status, signal, stdout, stderr } = await run(process.execPath, [script, folder], {
    missing: `${process.execPath} cannot be started`,
  });
  if (status !== 0) {
    const symbol = /undefined symbol: (\w+)/.exec(stderr)?.[1];
    const reason =
      symbol !== undefined
        ? `it lacks ${symbol}`
        : signal !== null
          ? `it ended the process with ${signal}; this processor may lack instructions that it needs (AVX)`
          : "it cannot be opened";
    throw new InputError(
      `the libtensorflow of ${label} cannot be used: ${reason}; try another (--tensorflow, --from, --wheel)`,
      symbol === undefined ? lastLines(stderr) : [],
    );
  }
  const checked = JSON.parse(stdout) as Checked;
  if (!(checked.relativeL2 <= tolerance)) {
    throw new InputError(
      `the libtensorflow of ${label} computes wrong results: a matrix product differs by ${checked.relativeL2.toExponential(1)} ` +
        `from WASM's, expected at most ${tolerance}; try another (--tensorflow, --from, --wheel)`,
    );
  }
  return checked;
}

/** Removes all builds for this platform, including unfinished ones. @returns the folders of the removed builds */
export async function removeNative(cache: string = cacheFolder()): Promise<string[]> {
  if (!existsSync(cache)) return [];
  const release = await lockBuilds(cache);
  try {
    await removeUnfinished(cache);
    const folders = await buildFolders(cache);
    for (const folder of folders) await rm(folder, { recursive: true });
    return folders;
  } finally {
    await release();
  }
}

/** @throws InputError if another process is building */
async function lockBuilds(cache: string): Promise<() => Promise<void>> {
  const path = join(cache, `lock-${platformTag}`);
  const lock = await takeLock(path);
  if ("release" in lock) return lock.release;
  throw new InputError(`${describeHolder(lock.heldBy)} is building; wait until it ends`);
}

async function buildFolders(cache: string): Promise<string[]> {
  const names = (await readdir(cache)).filter(
    (name) => name.startsWith("native-") && name.endsWith(platformTag),
  );
  return names.map((name) => join(cache, name));
}

/** Removes what killed processes left behind. Call it only under the lock, when no other process is building. */
async function removeUnfinished(cache: string): Promise<void> {
  for (const name of await readdir(cache)) {
    if (name.startsWith(`${unfinished}${platformTag}-`)) await rm(join(cache, name), { recursive: true });
  }
}
