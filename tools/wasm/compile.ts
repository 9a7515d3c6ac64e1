/**
 * Compiles the kernels of tools/wasm/kernels to WebAssembly. They are written in AssemblyScript, which has the types of
 * WebAssembly and one function for each of its instructions.
 */
import { execFile } from "node:child_process";
import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";

const run = promisify(execFile);

const kernelsFolder = fileURLToPath(new URL("../../../tools/wasm/kernels/", import.meta.url));

const compiler = fileURLToPath(new URL("../../../node_modules/assemblyscript/bin/asc.js", import.meta.url));

/** The names of the kernels' files, without the extension. */
export async function kernelNames(): Promise<string[]> {
  const files = await readdir(kernelsFolder);
  return files
    .filter((file) => file.endsWith(".ts"))
    .map((file) => basename(file, ".ts"))
    .sort();
}

/**
 * The compiler runs as a process of its own: importing it would add AssemblyScript's declarations of `Array` and `Map` to
 * all files of this project.
 *
 * @returns the module's bytes: they depend on the source and on the version of AssemblyScript alone
 */
export async function compileKernel(name: string): Promise<Uint8Array> {
  const folder = await mkdtemp(join(tmpdir(), "clipscope-wasm-"));
  try {
    const outFile = join(folder, "out.wasm");
    const options = ["--optimizeLevel", "3", "--noAssert", "--runtime", "stub", "--enable", "simd"];
    await run(process.execPath, [compiler, `${name}.ts`, "--outFile", outFile, ...options], {
      cwd: kernelsFolder,
    });
    return await readFile(outFile);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** The text of the module's file in lib/wasm/modules. */
export function moduleText(name: string, bytes: Uint8Array): string {
  const lines =
    Buffer.from(bytes)
      .toString("base64")
      .match(/.{1,100}/g) ?? [];
  const quoted = lines.map((line) => `"${line}"`).join(" +\n  ");
  return `/** tools/wasm/kernels/${name}.ts, compiled. Written by tools/wasm/build.ts. */\nexport const base64 =\n  ${quoted};\n`;
}
