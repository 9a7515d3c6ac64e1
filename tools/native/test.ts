/**
 * `npm run test:native`: makes the native build, unless it is there, and runs the parity specs and the build's own
 * on it. Where libtensorflow cannot be had it says so and counts as skipped; any other failure is a failure.
 */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";

import { InputError } from "../../lib/errors/input-error.ts";
import { compileBinding } from "./binding.ts";
import { buildNative, checkBuild } from "./build.ts";
import { defaultTensorflow, fetchLibrary } from "./sources.ts";

class NotToBeHad extends Error {}

async function build(): Promise<void> {
  const { build, checked } = await buildNative(
    {
      source: { kind: "auto", python: "python3", version: defaultTensorflow },
      gpu: false,
      force: false,
      progress: (line) => {
        if (process.stderr.isTTY) console.error(line);
      },
    },
    {
      fetchLibrary: async (...args) => {
        try {
          return await fetchLibrary(...args);
        } catch (error) {
          throw error instanceof InputError ? new NotToBeHad(error.message, { cause: error }) : error;
        }
      },
      compileBinding,
      checkBuild,
    },
  );
  console.log(
    `TensorFlow ${build.manifest.tensorflow} from ${build.manifest.source}`,
    checked ?? "(built before)",
  );
}

function runSpecs(): number {
  const mocha = createRequire(import.meta.url).resolve("mocha/bin/mocha.js");
  const { status } = spawnSync(process.execPath, [mocha, "--config", ".mocharc.native.json"], {
    env: { ...process.env, CLIPSCOPE_BACKEND: "tensorflow" },
    stdio: "inherit",
  });
  return status ?? 1;
}

try {
  await build();
  process.exitCode = runSpecs();
} catch (error) {
  if (!(error instanceof NotToBeHad)) throw error;
  console.log(`SKIPPED: every spec on tensorflow, for libtensorflow cannot be had here: ${error.message}`);
}
