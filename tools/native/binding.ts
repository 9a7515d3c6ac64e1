/**
 * Compiles tfjs-node's N-API binding against a libtensorflow, as its binding.gyp does, without node-gyp: two
 * source files, one command.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import { buildLayout, napiVersion } from "../../lib/node/native/native-build.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { JsonValue } from "../../lib/json/json-value.ts";
import { extractArchive } from "./archive.ts";
import type { Library } from "./library.ts";
import { addOwnFiles } from "./own-files.ts";
import { lastLines, type Progress, run } from "./run.ts";

interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** The registry's checksum of the package, as in a package-lock. */
  readonly integrity: string;
}

export const tfjsNode: NpmPackage = {
  name: "@tensorflow/tfjs-node",
  version: "4.22.0",
  integrity:
    "sha512-uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w==",
};

/** The few headers of Node's stable native interface, for a Node that was installed without its own. */
const nodeApiHeaders: NpmPackage = {
  name: "node-api-headers",
  version: "1.9.0",
  integrity:
    "sha512-2oNILP4jXwRB4ywnYKjVk1YyJ96n2D4EOVJO6S3oYZ5PtbJrw3Yt9TpAuX3nBLMuzn74rnfGQrv13pS9vC+YiA==",
};

/** C++ sources, as published; the compiled program lies in dist/tools/native. */
const kernelSources = fileURLToPath(new URL("../../../tools/native/kernels/", import.meta.url));

type InstructionSets = readonly (readonly [name: string, flags: readonly string[]])[];

const plainInstructions: InstructionSets = [["baseline", []]];

/** What the operations are compiled for, by processor; which of them runs is decided when they are opened. */
const instructionSets: Readonly<Partial<Record<string, InstructionSets>>> = {
  x64: [
    ...plainInstructions,
    ["avx2", ["-mavx2", "-mfma"]],
    ["avx512", ["-mavx512f", "-mavx512vl", "-mavx512bw", "-mavx512dq", "-mfma"]],
  ],
};

export interface CompileOptions {
  readonly library: Library;
  /** The build's folder: `site/` is there already, `tfjs-node/` comes. */
  readonly build: string;
  readonly work: string;
  readonly progress: Progress;
}

/**
 * Fetches the sources and compiles them into the build's folder.
 *
 * @throws InputError without npm, compiler or headers, and if the library does not fit the sources.
 */
export async function compileBinding({ library, build, work, progress }: CompileOptions): Promise<void> {
  const compiler = await findCompiler();
  const headers = await findNodeHeaders(work, progress);

  const sources = join(build, "tfjs-node");
  progress(`npm fetches ${tfjsNode.name} ${tfjsNode.version}`);
  await unpackNpm(tfjsNode, work, sources, isNeededSource);
  await addOwnFiles(sources);
  await mkdir(dirname(join(build, buildLayout.binding)), { recursive: true });

  progress("compiling the binding");
  const binding = join(sources, "binding");
  const common = ["-std=c++17", "-O2", "-fPIC", `-DNAPI_VERSION=${napiVersion}`, "-I", headers];
  const shared = process.platform === "darwin" ? ["-bundle", "-undefined", "dynamic_lookup"] : ["-shared"];
  const against = ["-I", library.include, ...linkTo(library, build)];
  const compile = async (...args: string[]): Promise<void> => {
    const finished = await run(compiler, [...common, ...args], { missing: noCompiler });
    if (finished.status !== 0) throw doesNotCompile(finished.stderr, library);
  };
  await compile(...shared, join(binding, "quiet.cc"), "-o", join(build, buildLayout.quiet));
  const parts = [join(binding, "tfjs_backend.cc"), join(binding, "tfjs_binding.cc")];
  await compile(...shared, ...parts, ...against, "-o", join(build, buildLayout.binding));

  progress("compiling the network's operations");
  const objects: string[] = [];
  for (const [name, flags] of instructionSets[process.arch] ?? plainInstructions) {
    const object = join(work, `${name}.o`);
    // TensorFlow's Eigen builds multiply and add at once too; without this flag Clang would not.
    const arithmetic = ["-O3", "-ffp-contract=fast", `-DCLIPSCOPE_ISA=${name}`, ...flags];
    await compile(...arithmetic, "-c", join(kernelSources, "arithmetic.cc"), "-o", object);
    objects.push(object);
  }
  const files = ["addon.cc", "ops.cc", "pool.cc", "read.cc"].map((name) => join(kernelSources, name));
  await compile(
    ...shared,
    "-pthread",
    ...files,
    ...objects,
    ...against,
    "-o",
    join(build, buildLayout.operations),
  );
  await rm(binding, { recursive: true });
}

function doesNotCompile(stderr: string, library: Library): Error {
  if (/No space left/i.test(stderr)) return Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
  const errors = stderr.split("\n").filter((line) => /error|undefined|cannot/i.test(line));
  return new InputError(
    `tfjs-node's binding does not compile against ${library.label}; it may be too old or broken: ` +
      "try another TensorFlow (--tensorflow, --from, --wheel)",
    lastLines(errors.length > 0 ? errors.slice(0, 6).join("\n") : stderr),
  );
}

function linkTo(library: Library, build: string): string[] {
  const folder = join(build, "site", "tensorflow");
  const up = "../../site/tensorflow";
  if (process.platform === "darwin") {
    return [join(folder, library.main), join(folder, library.framework), `-Wl,-rpath,@loader_path/${up}`];
  }
  return [
    `-L${folder}`,
    `-l:${library.main}`,
    `-l:${library.framework}`,
    // Resolved when opened, so that a library without some function is refused then and not in mid-run.
    "-Wl,-z,now",
    `-Wl,-rpath,$ORIGIN/${up}`,
  ];
}

/** Of tfjs-node only the binding's sources and what its kernels consist of. */
function isNeededSource(path: string): boolean {
  return (
    /^package\/(package\.json|binding\/[^/]+\.(cc|h))$/.test(path) ||
    /^package\/dist\/(nodejs_kernel_backend|register_all_kernels|int64_tensors)\.js$/.test(path) ||
    (/^package\/dist\/kernels\/[^/]+\.js$/.test(path) && !path.endsWith("_test.js"))
  );
}

async function unpackNpm(
  what: NpmPackage,
  work: string,
  folder: string,
  wanted: (path: string) => boolean,
): Promise<void> {
  const spec = `${what.name}@${what.version}`;
  const packed = join(work, "npm");
  await rm(packed, { recursive: true, force: true });
  await mkdir(packed, { recursive: true });
  const args = ["pack", spec, "--pack-destination", packed, "--json", "--ignore-scripts"];
  const { status, stdout, stderr } = await run("npm", args, {
    cwd: work,
    missing: "npm is not on the PATH; it comes with Node and fetches the binding's sources",
  });
  if (status !== 0) {
    throw new InputError(
      `npm could not fetch ${spec}; check the network or npm's registry setting`,
      lastLines(stderr),
    );
  }
  const [report] = JsonValue.parse(stdout, `npm pack ${spec}`).items();
  if (report === undefined) throw new InputError(`npm pack ${spec}: expected a report, found none`);
  const filename = report.at("filename").string();
  // npm before version 9 reported "@scope/name.tgz" for a file called "scope-name.tgz".
  const file = join(packed, filename.replace(/^@/, "").replace("/", "-"));
  const found = `sha512-${createHash("sha512")
    .update(await readFile(file))
    .digest("base64")}`;
  if (found !== what.integrity) {
    throw new InputError(
      `npm gave another ${spec} than the published one (checksum ${found}, expected ${what.integrity})`,
    );
  }
  await extractArchive(file, folder, wanted, 1);
}

const noCompiler =
  "there is no C++ compiler; install one (Debian and Ubuntu: apt install g++; macOS: xcode-select --install) " +
  "or name it in CXX";

async function findCompiler(): Promise<string> {
  const named = process.env["CXX"];
  for (const name of named ? [named] : ["c++", "g++", "clang++"]) {
    const works = await run(name, ["--version"], { missing: noCompiler }).then(
      ({ status }) => status === 0,
      () => false,
    );
    if (works) return name;
  }
  throw new InputError(noCompiler);
}

/** The folder with node_api.h: Node's own, node-gyp's, else the npm package that holds these headers alone. */
async function findNodeHeaders(work: string, progress: Progress): Promise<string> {
  const own = nodeHeaderFolders().find((folder) => existsSync(join(folder, "node_api.h")));
  if (own !== undefined) return own;
  progress(`npm fetches ${nodeApiHeaders.name} ${nodeApiHeaders.version}`);
  const folder = join(work, "node-api-headers");
  await unpackNpm(nodeApiHeaders, work, folder, (path) => path.startsWith("package/include/"));
  return join(folder, "include");
}

/** Where Node's headers may lie, the likelier first. */
export function nodeHeaderFolders(env: NodeJS.ProcessEnv = process.env): string[] {
  const include = join("include", "node");
  const nodedir = env["npm_config_nodedir"];
  const caches = join(homedir(), process.platform === "darwin" ? "Library/Caches" : ".cache");
  const gyp = env["npm_config_devdir"] ?? join(caches, "node-gyp");
  return [
    ...(nodedir ? [join(nodedir, include)] : []),
    resolve(dirname(process.execPath), "..", include),
    join(gyp, process.versions.node, include),
  ];
}
