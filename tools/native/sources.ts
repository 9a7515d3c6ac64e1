/** Gets libtensorflow from one of several sources and puts it into a folder, ready to compile against. */
import { readFile, mkdir, readdir, rm } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";

import { InputError } from "../../lib/errors/input-error.ts";
import { extractArchive } from "./archive.ts";
import {
  checkLibrary,
  copyCuda,
  copyLibrary,
  isCudaLibrary,
  isNeededHeader,
  libraryName,
} from "./library.ts";
import type { Library } from "./library.ts";
import { lastLines, type Progress, run } from "./run.ts";
import { below, extractZip, wheelName } from "./wheel.ts";

/** The default version to get from pip, and the version that was tested. */
export const defaultTensorflow = "2.21.0";

/** The version of Python whose wheels pip gets if there are none for the installed one. The wheels' Python code is not run. */
const otherPython = "3.12";

export type Source =
  | { readonly kind: "auto"; readonly python: string; readonly version: string }
  | { readonly kind: "python"; readonly python: string }
  | { readonly kind: "pip"; readonly python: string; readonly version: string }
  | { readonly kind: "folder"; readonly path: string }
  | { readonly kind: "wheel"; readonly path: string }
  | { readonly kind: "archive"; readonly source: string };

export interface SourceOptions {
  /** Also get CUDA's libraries. */
  readonly gpu: boolean;
  /** A temporary folder; the caller deletes it and keeps only `site`. */
  readonly work: string;
  /** The library goes to `site/tensorflow`, CUDA's to `site/nvidia`. */
  readonly site: string;
  readonly progress: Progress;
}

/** Where libtensorflow comes from, in words. Equal labels mean equal sources. */
export function sourceLabel(source: Source): string {
  switch (source.kind) {
    case "auto":
    case "python":
      return `the TensorFlow installed in ${source.python}`;
    case "pip":
      return `pip's TensorFlow ${source.version}`;
    case "folder":
      return `the folder ${resolve(source.path)}`;
    case "wheel":
      return `the wheel ${resolve(source.path)}`;
    case "archive":
      return `the archive ${/^https?:/.test(source.source) ? source.source : resolve(source.source)}`;
  }
}

/**
 * Puts libtensorflow into `site`.
 *
 * @throws InputError if the source does not contain it
 */
export async function fetchLibrary(source: Source, options: SourceOptions): Promise<Library> {
  const include = join(options.work, "include");
  switch (source.kind) {
    case "auto": {
      const installed = await findInstalled(source.python);
      if (installed?.usable === true) {
        return fromPackage(installed, { kind: "python", python: source.python }, options);
      }
      return fetchLibrary({ ...source, kind: "pip" }, options);
    }
    case "python": {
      const installed = await findInstalled(source.python);
      if (installed === undefined) {
        throw new InputError(
          `no TensorFlow is installed in ${source.python}; install it there, or omit --python to download it with pip`,
        );
      }
      if (!installed.usable) {
        throw new InputError(
          `TensorFlow ${installed.version} in ${source.python} has no libtensorflow_cc (added in 2.11); ` +
            "install a newer one there, or omit --python to download one with pip",
        );
      }
      return fromPackage(installed, source, options);
    }
    case "pip":
      return fromPip(source.python, source.version, options);
    case "folder":
      options.progress("copying libtensorflow");
      return copyLibrary(source.path, options.site, include, sourceLabel(source));
    case "wheel":
      return fromWheels([source.path], sourceLabel(source), options);
    case "archive": {
      const unpacked = join(options.work, "archive");
      options.progress("unpacking the archive");
      const wanted = (path: string): boolean => /(^|\/)lib\//.test(path) || isNeededHeader(path);
      await extractArchive(source.source, unpacked, wanted);
      return copyLibrary(unpacked, options.site, include, sourceLabel(source));
    }
  }
}

interface Installed {
  /** The `tensorflow` package's folder. */
  readonly folder: string;
  readonly version: string;
  readonly usable: boolean;
}

/** Finds the package without importing it, because an import takes seconds. */
const finder = `
import importlib.util, json, os
spec = importlib.util.find_spec("tensorflow")
folder = spec and spec.submodule_search_locations and list(spec.submodule_search_locations)[0]
if not folder:
    print("null")
else:
    import importlib.metadata as metadata
    names = metadata.packages_distributions().get("tensorflow", []) if hasattr(metadata, "packages_distributions") else []
    version = metadata.version(names[0]) if names else "of an unknown version"
    usable = any(name.startswith("libtensorflow_cc.") for name in os.listdir(folder))
    print(json.dumps({"folder": folder, "version": version, "usable": usable}))
`;

async function findInstalled(python: string): Promise<Installed | undefined> {
  const { status, stdout, stderr } = await run(python, ["-c", finder], { missing: noPython(python) });
  if (status !== 0) {
    throw new InputError(
      `${python} could not search for its TensorFlow; check that it runs`,
      lastLines(stderr),
    );
  }
  return (JSON.parse(stdout) as Installed | null) ?? undefined;
}

async function fromPackage(installed: Installed, source: Source, options: SourceOptions): Promise<Library> {
  options.progress(`copying TensorFlow ${installed.version} from ${installed.folder}`);
  const include = join(options.work, "include");
  const library = await copyLibrary(installed.folder, options.site, include, sourceLabel(source));
  if (options.gpu && (await copyCuda(dirname(installed.folder), options.site)) === 0) {
    throw new InputError(
      `${sourceLabel(source)} has no CUDA libraries; install tensorflow[and-cuda] there, ` +
        "or omit --python to download them with pip",
    );
  }
  return library;
}

async function fromPip(python: string, version: string, options: SourceOptions): Promise<Library> {
  const wheels = join(options.work, "wheels");
  await mkdir(wheels, { recursive: true });
  await pipDownload(python, candidates(version, options.gpu), wheels, options.progress);
  const label = `pip's TensorFlow ${version}`;
  const main = await wheelsIn(wheels);
  if (options.gpu) {
    // The wheel's extra "and-cuda" lists the CUDA libraries that it was built for.
    for (const requirement of await cudaRequirements(main, options.work)) {
      await pipDownload(python, [requirement], wheels, options.progress);
    }
  }
  return fromWheels(await wheelsIn(wheels), label, options);
}

/** The packages to try in order. The CPU package is smaller, but not available for every platform. */
function candidates(version: string, gpu: boolean): string[] {
  const full = `tensorflow==${version}`;
  return gpu || process.platform === "darwin" ? [full] : [`tensorflow-cpu==${version}`, full];
}

async function pipDownload(
  python: string,
  requirements: readonly string[],
  folder: string,
  progress: Progress,
): Promise<void> {
  let stderr = "";
  for (const requirement of requirements) {
    for (const extra of [[], ["--python-version", otherPython]]) {
      progress(`downloading ${requirement} with pip`);
      const args = ["-m", "pip", "download", "--no-deps", "--only-binary=:all:", "--no-input"];
      args.push("--disable-pip-version-check", "--progress-bar", "off", "--retries", "1", ...extra);
      const finished = await run(python, [...args, "-d", folder, requirement], { missing: noPython(python) });
      if (finished.status === 0) return;
      stderr = finished.stderr;
      if (stderr.includes("No module named pip")) {
        throw new InputError(
          `${python} has no pip; install it (python3-pip), or provide libtensorflow with --wheel, --from or --archive`,
        );
      }
      if (/No space left/i.test(stderr)) throw noSpace(folder);
    }
  }
  throw new InputError(
    `pip could not download a wheel of ${requirements.join(" or ")} for this platform; check the network, ` +
      "choose another version with --tensorflow VERSION, or provide libtensorflow with --wheel, --from or --archive",
    lastLines(stderr, 4),
  );
}

async function wheelsIn(folder: string): Promise<string[]> {
  return (await readdir(folder)).filter((name) => name.endsWith(".whl")).map((name) => join(folder, name));
}

async function cudaRequirements(wheels: readonly string[], work: string): Promise<string[]> {
  const path = join(work, "METADATA");
  for (const wheel of wheels) {
    await extractZip(wheel, (member) => (/^[^/]+\.dist-info\/METADATA$/.test(member) ? path : undefined));
  }
  return parseCudaRequirements(await readFile(path, "utf8"));
}

/** `Requires-Dist: nvidia-cublas-cu12<13.0,>=12.5.3.2; extra == "and-cuda"` → `nvidia-cublas-cu12<13.0,>=12.5.3.2`. */
export function parseCudaRequirements(metadata: string): string[] {
  return [...metadata.matchAll(/^Requires-Dist:\s*(nvidia-[^;\n]+);.*and-cuda/gm)].map(([, name]) =>
    (name ?? "").replaceAll(" ", "").replace(/[()]/g, ""),
  );
}

/** Unpacks TensorFlow's wheel and, for GPUs, CUDA's wheels. Deletes each one after unpacking if it is in `work`. */
async function fromWheels(
  wheels: readonly string[],
  label: string,
  options: SourceOptions,
): Promise<Library> {
  const include = join(options.work, "include");
  for (const wheel of wheels) {
    let bytes = 0;
    const name = wheelName(wheel);
    await extractZip(
      wheel,
      (member) => placeOf(member, options.site, include),
      (count) => {
        bytes += count;
        options.progress(`unpacking ${name?.name ?? wheel}, ${(bytes / 1e6).toFixed(0)} MB`);
      },
    );
    if (wheel.startsWith(options.work)) await rm(wheel);
  }
  return checkLibrary(options.site, include, label);
}

/** Where to unpack a wheel's member; undefined if it is not needed. */
export function placeOf(member: string, site: string, include: string): string | undefined {
  const [, file] = /^tensorflow\/([^/]+)$/.exec(member) ?? [];
  const library = file === undefined ? undefined : libraryName(file);
  if (library !== undefined) return join(site, "tensorflow", library);
  const [, header] = /^tensorflow\/include\/(.*)$/.exec(member) ?? [];
  if (header !== undefined) return isNeededHeader(header) ? below(include, header) : undefined;
  return isCudaLibrary(member) ? below(site, member) : undefined;
}

function noPython(python: string): string {
  return `${python} was not found; choose a Python with --python, or provide libtensorflow with --wheel, --from or --archive`;
}

/** The error for a full disk. */
export function noSpace(folder: string): InputError {
  return new InputError(
    `${folder}: no space left on the disk; free about 1.2 GB (more for a GPU), or set CLIPSCOPE_CACHE to a folder on another disk`,
  );
}
