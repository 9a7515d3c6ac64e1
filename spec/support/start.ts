/** Mocha's root hook: the backend that CLIPSCOPE_BACKEND names (wasm if none), started once for all specs. */
import { startNodeBackend } from "../../lib/node/backends/backends.ts";
import "../../lib/node/tap-scope.ts";

process.env["CLIPSCOPE_BACKEND"] ??= "wasm";

export const mochaHooks = {
  async beforeAll(): Promise<void> {
    const { description } = await startNodeBackend();
    console.log(`  backend: ${description}`);
  },
};
