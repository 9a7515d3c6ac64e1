/**
 * Where `clipscope native` keeps what it builds, and what it left there. The folder lies outside node_modules
 * so that it survives `npm ci`, holds no absolute path, and may be moved.
 */
import { existsSync, readFileSync, readdirSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";

import { InputError } from "../../errors/input-error.ts";
import { JsonValue } from "../../json/json-value.ts";

/** The version of Node's native interface that the binding is compiled for; Node 20 and later have it. */
export const napiVersion = 8;

/** Bumped when the layout of a build or our own changes to the binding no longer fit older builds. */
export const nativeBuildFormat = 4;

/** Written last, so that a folder without it is no build. */
export const manifestName = "build.json";

export interface NativeManifest {
  readonly format: number;
  /** libtensorflow's version, "2.21.0". */
  readonly tensorflow: string;
  /** Version of the npm package whose binding was compiled, "4.22.0". */
  readonly tfjsNode: string;
  readonly gpu: boolean;
  /** Where libtensorflow came from, for people: "the wheel tensorflow-cpu 2.21.0". */
  readonly source: string;
}

export interface NativeBuild {
  readonly folder: string;
  readonly manifest: NativeManifest;
}

/**
 * The folder for what is built here: CLIPSCOPE_CACHE, else the platform's folder for caches + "clipscope".
 *
 * @throws InputError if there is neither a cache variable nor a home folder.
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
    throw new InputError("no home folder to keep the native build in; name one with CLIPSCOPE_CACHE");
  if (platform === "darwin") return join(home, "Library", "Caches", "clipscope");
  if (platform === "win32") return join(home, "AppData", "Local", "clipscope");
  return join(home, ".cache", "clipscope");
}

/** "napi8-linux-x64": builds for other platforms may share a cache (a home folder on the network). */
export const platformTag = `napi${napiVersion}-${process.platform}-${process.arch}`;

/** Name of a build's folder in the cache, "native-2.21.0-napi8-linux-x64" or "native-2.21.0-gpu-napi8-…". */
export function buildFolderName(tensorflow: string, gpu: boolean): string {
  return `native-${tensorflow}-${gpu ? "gpu-" : ""}${platformTag}`;
}

/** The whole builds for this platform in a cache folder: GPU builds first, then the newer TensorFlow. */
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

/** A folder's manifest; undefined if it has none or one of another format. */
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

/** A build's parts, as paths below its folder. The loader and the program that builds agree on them here. */
export const buildLayout = {
  /** The N-API binding. */
  binding: "tfjs-node/lib/tfjs_binding.node",
  /** A few lines of our own that keep TensorFlow's start notices off standard error. */
  quiet: "tfjs-node/lib/quiet.node",
  /** The network's operations for TensorFlow. */
  operations: "tfjs-node/lib/operations.node",
  /** tfjs-node's JavaScript. */
  backend: "tfjs-node/dist/nodejs_kernel_backend.js",
  kernels: "tfjs-node/dist/register_all_kernels.js",
  /** Laid out as in Python's site-packages: TensorFlow's libraries look for CUDA's relative to themselves. */
  libraries: "site/tensorflow",
} as const;
