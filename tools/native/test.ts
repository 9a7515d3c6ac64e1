/**
 * `npm run test:native`: makes the native build, unless it exists, and runs the parity specs and the build's specs on it.
 * The specs are skipped, with a message, if libtensorflow cannot be downloaded. Any other error is a failure.
 */
import { spawnSync } from "node:child_process";
import { createRequire } from "node:module";

import { InputError } from "../../lib/errors/input-error.ts";
import { compileBinding } from "./binding.ts";
import { buildNative, checkBuild } from "./build.ts";
import { defaultTensorflow, fetchLibrary } from "./sources.ts";

class Unavailable extends Error {}

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
          throw error instanceof InputError ? new Unavailable(error.message, { cause: error }) : error;
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
  if (!(error instanceof Unavailable)) throw error;
  console.log(`SKIPPED: every spec on tensorflow, because libtensorflow is not available: ${error.message}`);
}
