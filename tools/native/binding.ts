/**
 * Compiles tfjs-node's Node-API binding against libtensorflow, as its binding.gyp does, but without node-gyp: one command
 * for two source files.
 */
import { createHash } from "node:crypto";
import { existsSync } from "node:fs";
import { mkdir, readFile, rm } from "node:fs/promises";
import { homedir } from "node:os";
import { dirname, join, resolve } from "node:path";

import { buildLayout, napiVersion } from "../../lib/node/native/native-build.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import { JsonValue } from "../../lib/json/json-value.ts";
import { extractArchive } from "./archive.ts";
import { compileKernels, kernelSources } from "./kernels.ts";
import type { Library } from "./library.ts";
import { addOwnFiles } from "./own-files.ts";
import { lastLines, type Progress, run } from "./run.ts";

interface NpmPackage {
  readonly name: string;
  readonly version: string;
  /** The registry's checksum of the package, as in package-lock.json. */
  readonly integrity: string;
}

export const tfjsNode: NpmPackage = {
  name: "@tensorflow/tfjs-node",
  version: "4.22.0",
  integrity:
    "sha512-uHrXeUlfgkMxTZqHkESSV7zSdKdV0LlsBeblqkuKU9nnfxB1pC6DtoyYVaLxznzZy7WQSegjcohxxCjAf6Dc7w==",
};

/** The headers of Node-API, for installations of Node without headers. */
const nodeApiHeaders: NpmPackage = {
  name: "node-api-headers",
  version: "1.9.0",
  integrity:
    "sha512-2oNILP4jXwRB4ywnYKjVk1YyJ96n2D4EOVJO6S3oYZ5PtbJrw3Yt9TpAuX3nBLMuzn74rnfGQrv13pS9vC+YiA==",
};

export interface CompileOptions {
  readonly library: Library;
  /** The build's folder, with `site/`; `tfjs-node/` is added. */
  readonly build: string;
  readonly work: string;
  readonly progress: Progress;
}

/**
 * Fetches the sources and compiles them into the build's folder.
 *
 * @throws InputError if npm, a compiler or headers are missing, or the library does not match the sources
 */
export async function compileBinding({ library, build, work, progress }: CompileOptions): Promise<void> {
  const compiler = await findCompiler();
  const headers = await findNodeHeaders(work, progress);

  const sources = join(build, "tfjs-node");
  progress(`downloading ${tfjsNode.name} ${tfjsNode.version}`);
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
  const objects = await compileKernels({ compiler, compile, folder: work });
  const files = ["addon.cc", "ops.cc", "read.cc"].map((name) => join(kernelSources, name));
  const operations = join(build, buildLayout.operations);
  await compile(...shared, "-pthread", ...files, ...objects, ...against, "-o", operations);
  const scan = join(build, buildLayout.scan);
  await compile(...shared, "-pthread", join(kernelSources, "scan-addon.cc"), ...objects, "-o", scan);
  await rm(binding, { recursive: true });
}

function doesNotCompile(stderr: string, library: Library): Error {
  if (/No space left/i.test(stderr)) return Object.assign(new Error("ENOSPC"), { code: "ENOSPC" });
  const errors = stderr.split("\n").filter((line) => /error|undefined|cannot/i.test(line));
  return new InputError(
    `tfjs-node's binding does not compile against ${library.label}, which may be too old or damaged; ` +
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
    // Resolves all functions on opening, so that a library that lacks one is rejected at once.
    "-Wl,-z,now",
    `-Wl,-rpath,$ORIGIN/${up}`,
  ];
}

/** The binding's sources and the files of its kernels; nothing else of tfjs-node is needed. */
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
    missing: "npm is not on the PATH; install it to download the binding's sources (it comes with Node)",
  });
  if (status !== 0) {
    throw new InputError(
      `npm could not download ${spec}; check the network and npm's registry setting`,
      lastLines(stderr),
    );
  }
  const [report] = JsonValue.parse(stdout, `npm pack ${spec}`).items();
  if (report === undefined) throw new InputError(`npm pack ${spec}: expected a report, found none`);
  const filename = report.at("filename").string();
  // npm before version 9 reports "@scope/name.tgz" for the file "scope-name.tgz".
  const file = join(packed, filename.replace(/^@/, "").replace("/", "-"));
  const found = `sha512-${createHash("sha512")
    .update(await readFile(file))
    .digest("base64")}`;
  if (found !== what.integrity) {
    throw new InputError(
      `npm downloaded another ${spec} than the published one: expected the checksum ${what.integrity}, found ${found}; check npm's registry setting`,
    );
  }
  await extractArchive(file, folder, wanted, 1);
}

const noCompiler =
  "no C++ compiler was found; install one (Debian and Ubuntu: apt install g++; macOS: xcode-select --install) " +
  "or set CXX to its name";

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

/** The folder with node_api.h: that of Node or node-gyp, else the npm package of these headers. */
async function findNodeHeaders(work: string, progress: Progress): Promise<string> {
  const own = nodeHeaderFolders().find((folder) => existsSync(join(folder, "node_api.h")));
  if (own !== undefined) return own;
  progress(`downloading ${nodeApiHeaders.name} ${nodeApiHeaders.version}`);
  const folder = join(work, "node-api-headers");
  await unpackNpm(nodeApiHeaders, work, folder, (path) => path.startsWith("package/include/"));
  return join(folder, "include");
}

/** Folders that may hold Node's headers, the most likely first. */
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
