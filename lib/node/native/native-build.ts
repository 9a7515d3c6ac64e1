/**
 * Finds the builds of `clipscope native`. They are in a folder outside node_modules, which survives `npm ci`. They
 * contain no absolute paths, so the folder may be moved.
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import { InputError } from "../../errors/input-error.ts";
import { JsonValue } from "../../json/json-value.ts";

/** The version of Node-API that the binding is compiled for. Node 20 and later support it. */
export const napiVersion = 8;

/** Increased when older builds no longer work with this program. */
export const nativeBuildFormat = 6;

/** Written last: a folder without it is not a complete build. */
export const manifestName = "build.json";

export interface NativeManifest {
  readonly format: number;
  /** Version of libtensorflow, "2.21.0". */
  readonly tensorflow: string;
  /** Version of the npm package whose binding was compiled, "4.22.0". */
  readonly tfjsNode: string;
  readonly gpu: boolean;
  /** Where libtensorflow came from, in words: "the wheel tensorflow-cpu 2.21.0". */
  readonly source: string;
}

export interface NativeBuild {
  readonly folder: string;
  readonly manifest: NativeManifest;
}

/**
 * The folder for builds: CLIPSCOPE_CACHE, else "clipscope" in the platform's folder for caches.
 *
 * @throws InputError if there is neither a cache variable nor a home folder
 */
export function cacheFolder(
  env: NodeJS.ProcessEnv = process.env,
  platform: NodeJS.Platform = process.platform,
  home: string = homedir(),
): string {
  const chosen = env["CLIPSCOPE_CACHE"];
  if (chosen) return chosen;
  const system = platform === "win32" ? env["LOCALAPPDATA"] : env["XDG_CACHE_HOME"];
  if (system) return join(system, "clipscope");
  if (!home)
    throw new InputError("found no home folder for the native build; set CLIPSCOPE_CACHE to a folder");
  if (platform === "darwin") return join(home, "Library", "Caches", "clipscope");
  if (platform === "win32") return join(home, "AppData", "Local", "clipscope");
  return join(home, ".cache", "clipscope");
}

/** "napi8-linux-x64". Builds for several platforms may share a cache, for example in a home folder on the network. */
export const platformTag = `napi${napiVersion}-${process.platform}-${process.arch}`;

/** The name of a build's folder in the cache, "native-2.21.0-napi8-linux-x64" or "native-2.21.0-gpu-napi8-…". */
export function buildFolderName(tensorflow: string, gpu: boolean): string {
  return `native-${tensorflow}-${gpu ? "gpu-" : ""}${platformTag}`;
}

/** The complete builds for this platform in a cache folder: GPU builds first, then by version, newest first. */
export function nativeBuilds(cache: string = cacheFolder()): NativeBuild[] {
  if (!existsSync(cache)) return [];
  const builds: NativeBuild[] = [];
  for (const name of readdirSync(cache)) {
    if (!name.startsWith("native-") || !name.endsWith(platformTag)) continue;
    const folder = join(cache, name);
    const manifest = readManifest(folder);
    if (manifest) builds.push({ folder, manifest });
  }
  return builds.sort(
    (a, b) =>
      Number(b.manifest.gpu) - Number(a.manifest.gpu) ||
      b.manifest.tensorflow.localeCompare(a.manifest.tensorflow, "en", { numeric: true }),
  );
}

/** A build's manifest; undefined if it is missing, damaged or of another format. */
export function readManifest(folder: string): NativeManifest | undefined {
  const path = join(folder, manifestName);
  if (!existsSync(path)) return undefined;
  const bytes = readFileSync(path);
  try {
    const json = JsonValue.parse(bytes, path);
    return {
      format: json.at("format").oneOf(nativeBuildFormat),
      tensorflow: json.at("tensorflow").string(),
      tfjsNode: json.at("tfjsNode").string(),
      gpu: json.at("gpu").boolean(),
      source: json.at("source").string(),
    };
  } catch (error) {
    if (error instanceof InputError) return undefined;
    throw error;
  }
}

/** The parts of a build, as paths relative to its folder. */
export const buildLayout = {
  /** The N-API binding. */
  binding: "tfjs-node/lib/tfjs_binding.node",
  /** The addon that keeps TensorFlow's notices off standard error. */
  quiet: "tfjs-node/lib/quiet.node",
  /** The network's operations for TensorFlow. */
  operations: "tfjs-node/lib/operations.node",
  /** The kernel of the scan, which does not use TensorFlow. */
  scan: "tfjs-node/lib/scan.node",
  /** tfjs-node's JavaScript. */
  backend: "tfjs-node/dist/nodejs_kernel_backend.js",
  kernels: "tfjs-node/dist/register_all_kernels.js",
  /** Laid out as in Python's site-packages: TensorFlow's libraries look for CUDA's relative to themselves. */
  libraries: "site/tensorflow",
} as const;
