import assert from "node:assert/strict";
import { readdir, readFile } from "node:fs/promises";
import { compileKernel, kernelNames, moduleText } from "../../../tools/wasm/compile.ts";
import { packageRoot } from "../../support/paths.ts";

describe("the WebAssembly modules", () => {
  it("are what their sources compile to", async () => {
    const names = await kernelNames();
    const written = await readdir(`${packageRoot}lib/wasm/modules`);
    assert.deepEqual(written.sort(), names.map((name) => `${name}.ts`).sort());
    for (const name of names) {
      const committed = await readFile(`${packageRoot}lib/wasm/modules/${name}.ts`, "utf8");
      assert.ok(
        committed === moduleText(name, await compileKernel(name)),
        `${name}: run node dist/tools/wasm/build.js`,
      );
    }
  });
});
