/**
 * The files of libtensorflow: finds the two libraries in a folder, gives them the names that the binding is linked to
 * (their SONAME), and checks that they are libraries.
 */
import { constants } from "node:fs";
import { copyFile, mkdir, open, readdir, stat } from "node:fs/promises";
import { existsSync } from "node:fs";
import { basename, dirname, join } from "node:path";

import { InputError } from "../../lib/errors/input-error.ts";

/** A folder with libtensorflow, ready to compile against. */
export interface Library {
  /** Laid out as in site-packages: `tensorflow/` with the two libraries, and for GPUs `nvidia/`. */
  readonly site: string;
  /** File name of the library that holds the C API, in `site/tensorflow`. */
  readonly main: string;
  readonly framework: string;
  /** Folders for the compiler's -I. */
  readonly include: string;
  /** Where it came from, in words. */
  readonly label: string;
}

const patterns = {
  linux: /^(libtensorflow(?:_cc|_framework)?)\.so(?:\.\d+)*$/,
  darwin: /^(libtensorflow(?:_cc|_framework)?)(?:\.\d+)*\.dylib$/,
};

/**
 * The name that the binding is linked to, for a file of libtensorflow; undefined for other files.
 *
 * Versions: "libtensorflow.so", "libtensorflow.so.2" and "libtensorflow.so.2.9.1" all have the SONAME
 * "libtensorflow.so.2"; on macOS "libtensorflow.2.dylib".
 */
export function libraryName(file: string, platform: NodeJS.Platform = process.platform): string | undefined {
  const stem = (platform === "darwin" ? patterns.darwin : patterns.linux).exec(file)?.[1];
  if (stem === undefined) return undefined;
  return platform === "darwin" ? `${stem}.2.dylib` : `${stem}.so.2`;
}

/** Python's wheels have libtensorflow_cc, the C archive libtensorflow; both hold the C API. */
export function isMain(name: string): boolean {
  return !name.startsWith("libtensorflow_framework");
}

/** Whether the binding needs a header, by its path in the include folder. The wheel holds 13,000 others. */
export function isNeededHeader(path: string): boolean {
  if (!path.endsWith(".h")) return false;
  // Newer versions moved the string type from tensorflow/core to tsl, and tsl into xla.
  return /(^|\/)(tensorflow\/c|tsl\/c)\//.test(path) || /(^|\/)(tensorflow\/core|tsl)\/platform\//.test(path);
}

/**
 * Checks the contents of `site` and `include`.
 *
 * @throws InputError if a library or header is missing, or a library is damaged
 */
export async function checkLibrary(site: string, include: string, label: string): Promise<Library> {
  const folder = join(site, "tensorflow");
  const names = existsSync(folder) ? await readdir(folder) : [];
  const known = names.filter((name) => libraryName(name) === name);
  const main = known.find(isMain);
  const framework = known.find((name) => !isMain(name));
  if (main === undefined || framework === undefined) {
    const missing = main === undefined ? "libtensorflow_cc or libtensorflow" : "libtensorflow_framework";
    throw new InputError(
      `${label} does not contain ${missing}; expected Python's TensorFlow 2.11 or later, or the C library's archive`,
    );
  }
  for (const name of [main, framework]) await checkMagic(join(folder, name), label);
  for (const header of ["tensorflow/c/c_api.h", "tensorflow/c/eager/c_api.h"]) {
    if (!existsSync(join(include, header))) {
      throw new InputError(
        `${label} does not contain the header ${header}; expected TensorFlow's include folder next to the libraries`,
      );
    }
  }
  return { site, main, framework, include, label };
}

/** ELF, or Mach-O (64-bit, or several architectures in one). */
const magics = ["7f454c46", "cffaedfe", "cafebabe"];

async function checkMagic(path: string, label: string): Promise<void> {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(4), 0, 4, 0);
    if (bytesRead < 4 || !magics.includes(buffer.toString("hex"))) {
      throw new InputError(`${basename(path)} from ${label} is not a shared library; download it again`);
    }
  } finally {
    await file.close();
  }
}

/**
 * Copies libtensorflow and its headers from a user's folder: an installed `tensorflow` package, or the unpacked C archive
 * (`lib/` and `include/`).
 *
 * @throws InputError if the folder is neither of these
 */
export async function copyLibrary(
  from: string,
  site: string,
  include: string,
  label: string,
): Promise<Library> {
  if (!existsSync(from))
    throw new InputError(`${label} does not exist; expected a folder with libtensorflow`);
  const folder = [from, join(from, "lib"), join(from, "tensorflow")].find((candidate) =>
    holdsLibrary(candidate),
  );
  if (folder === undefined) {
    throw new InputError(
      `${label} does not contain libtensorflow; expected libtensorflow_cc.so.2 or libtensorflow.so, ` +
        "libtensorflow_framework and an include folder",
    );
  }
  const headers = [join(folder, "include"), join(dirname(folder), "include")].find((candidate) =>
    existsSync(join(candidate, "tensorflow", "c", "c_api.h")),
  );
  if (headers === undefined) {
    throw new InputError(
      `${label} does not contain include/tensorflow/c/c_api.h; expected TensorFlow's headers there`,
    );
  }

  const target = join(site, "tensorflow");
  await mkdir(target, { recursive: true });
  for (const file of await readdir(folder)) {
    const name = libraryName(file);
    // A link and its target have the same SONAME; one copy is enough.
    if (name !== undefined && !existsSync(join(target, name))) {
      await copyFile(join(folder, file), join(target, name), constants.COPYFILE_FICLONE);
    }
  }
  for (const path of await readdir(headers, { recursive: true })) {
    if (isNeededHeader(path.replaceAll("\\", "/"))) {
      await mkdir(dirname(join(include, path)), { recursive: true });
      await copyFile(join(headers, path), join(include, path));
    }
  }
  return checkLibrary(site, include, label);
}

function holdsLibrary(folder: string): boolean {
  const suffixes = process.platform === "darwin" ? [".2.dylib", ".dylib"] : [".so.2", ".so"];
  return ["libtensorflow_cc", "libtensorflow"].some((stem) =>
    suffixes.some((suffix) => existsSync(join(folder, stem + suffix))),
  );
}

/** Copies `nvidia/<part>/lib/*` from a site-packages folder. @returns the number of copied libraries */
export async function copyCuda(sitePackages: string, site: string): Promise<number> {
  const nvidia = join(sitePackages, "nvidia");
  if (!existsSync(nvidia)) return 0;
  let count = 0;
  for (const path of await readdir(nvidia, { recursive: true })) {
    if (!isCudaLibrary(`nvidia/${path}`) || !(await stat(join(nvidia, path))).isFile()) continue;
    const target = join(site, "nvidia", path);
    await mkdir(dirname(target), { recursive: true });
    await copyFile(join(nvidia, path), target, constants.COPYFILE_FICLONE);
    count += 1;
  }
  return count;
}

/** Whether a file is one of CUDA's libraries. */
export function isCudaLibrary(path: string): boolean {
  return /^nvidia\/[^/]+\/lib\/.*\.so(\.\d+)*$/.test(path);
}
