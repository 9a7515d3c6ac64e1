/**
 * Compiles the kernels of tools/wasm/kernels to WebAssembly. They are written in AssemblyScript, which has the types of
 * WebAssembly and one function for each of its instructions.
 */
import { readdir, readFile } from "node:fs/promises";
import { basename, join } from "node:path";
import { fileURLToPath } from "node:url";
import asc from "assemblyscript/asc";

const kernelsFolder = fileURLToPath(new URL("../../../tools/wasm/kernels/", import.meta.url));

/** The names of the kernels' files, without the extension. */
export async function kernelNames(): Promise<string[]> {
  const files = await readdir(kernelsFolder);
  return files
    .filter((file) => file.endsWith(".ts"))
    .map((file) => basename(file, ".ts"))
    .sort();
}

/** @returns the module's bytes: they depend on the source and on the version of AssemblyScript alone */
export async function compileKernel(name: string): Promise<Uint8Array> {
  const source = await readFile(join(kernelsFolder, `${name}.ts`), "utf8");
  let bytes: Uint8Array | undefined;
  const options = ["--optimizeLevel", "3", "--noAssert", "--runtime", "stub", "--enable", "simd"];
  const { error, stderr } = await asc.main([`${name}.ts`, "--outFile", "out.wasm", ...options], {
    readFile: (file) => (file === `${name}.ts` ? source : null),
    writeFile: (_file, contents) => {
      bytes = contents as Uint8Array;
    },
    listFiles: () => [],
  });
  if (error !== null || bytes === undefined) {
    throw new Error(`tools/wasm/kernels/${name}.ts: ${stderr.toString()}`, { cause: error });
  }
  return bytes;
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
