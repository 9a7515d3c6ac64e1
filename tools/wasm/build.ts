/**
 * Compiles tools/wasm/kernels and writes the modules to lib/wasm/modules, as text that every host can import.
 *
 *     node dist/tools/wasm/build.js
 */
import { writeFile } from "node:fs/promises";
import { fileURLToPath } from "node:url";
import { compileKernel, kernelNames, moduleText } from "./compile.ts";

const folder = fileURLToPath(new URL("../../../lib/wasm/modules/", import.meta.url));

for (const name of await kernelNames()) {
  const bytes = await compileKernel(name);
  await writeFile(`${folder}${name}.ts`, moduleText(name, bytes));
  console.log(`lib/wasm/modules/${name}.ts  ${bytes.length} bytes`);
}
