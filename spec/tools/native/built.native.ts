/** Only `npm run test:native` runs these: specs of a real native build, besides those that run on any backend. */
import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";

import * as tf from "@tensorflow/tfjs-core";

import { startNodeBackend } from "../../../lib/node/backends/backends.ts";
import { cacheFolder, nativeBuilds } from "../../../lib/node/native/native-build.ts";
import { sumProductsInParts } from "../../../lib/node/native/tensorflow-kernels.ts";
import { linear } from "../../../lib/nn/operations/linear.ts";
import { compare } from "../../../lib/tensor/compare.ts";
import { packageRoot } from "../../support/paths.ts";

describe("the native build", () => {
  before(async () => {
    const { name, description } = await startNodeBackend("tensorflow");
    assert.equal(name, "tensorflow");
    assert.match(description, /^tensorflow \d+\.\d+\.\d+ on (CPU \(\d+ threads?\)|GPU)$/);
  });

  it("registers its kernels with this program's tfjs-core", () => {
    assert.equal(tf.getBackend(), "tensorflow");
    assert.ok(tf.getKernelsForBackend("tensorflow").length > 140);
  });

  it("creates tensors of tfjs-core's class", () => {
    assert.ok(tf.add(1, 2) instanceof tf.Tensor);
  });

  it("frees the tensors of tidy", () => {
    const before = tf.memory().numTensors;
    tf.tidy(() => tf.matMul(tf.ones([4, 4]), tf.ones([4, 4])).dataSync());
    assert.equal(tf.memory().numTensors, before);
  });

  for (const instructions of ["amx", "avx512bf16", "avx512vnni", "avx512", "avx2", "baseline"]) {
    it(`computes the network's operations with ${instructions}, or the processor's best instruction set`, () => {
      const { status, stdout } = spawnSync(
        process.execPath,
        [createRequire(import.meta.url).resolve("mocha/bin/mocha.js"), "--config", ".mocharc.kernels.json"],
        {
          cwd: packageRoot,
          env: { ...process.env, CLIPSCOPE_INSTRUCTIONS: instructions, CLIPSCOPE_BACKEND: "tensorflow" },
          encoding: "utf8",
        },
      );
      assert.equal(status, 0, stdout);
    });
  }

  it("sums deep products in parts without the native operations, as on a GPU", () => {
    const own = tf.getKernel("ClipscopeLinear", "tensorflow");
    const products = (): Float32Array[] =>
      tf.tidy(() =>
        ([1024, 100] as const).flatMap((depth) => {
          const x = tf.randomNormal<tf.Rank.R2>([5, depth], 0, 1, "float32", 1);
          const w = tf.randomNormal<tf.Rank.R2>([depth, 7], 0, 1, "float32", 2);
          const bias = tf.range(0, 7);
          return [linear(x, w, bias).dataSync<"float32">(), linear(x, w).dataSync<"float32">()];
        }),
      );
    const expected = products();
    sumProductsInParts();
    try {
      const found = products();
      for (const [i, values] of expected.entries()) {
        assert.ok(compare(found[i]!, values).relativeL2 < 1e-6);
      }
      assert.notDeepEqual(found[0], expected[0], "summed in another order");
    } finally {
      tf.unregisterKernel("ClipscopeLinear", "tensorflow");
      tf.registerKernel(own);
    }
  });

  it("writes nothing to standard error on start", () => {
    const { status, stdout, stderr } = startInChild(cacheFolder());
    assert.deepEqual({ status, stdout, stderr }, { status: 0, stdout: "tensorflow\n", stderr: "" });
  });

  it("works after the cache folder was moved", () => {
    const [build] = nativeBuilds();
    assert.ok(build);

    const moved = join(cacheFolder(), "moved");
    try {
      mkdirSync(moved, { recursive: true });
      cpSync(build.folder, join(moved, basename(build.folder)), { recursive: true });
      assert.equal(startInChild(moved).stdout, "tensorflow\n");
    } finally {
      rmSync(moved, { recursive: true, force: true });
    }
  });
});

function startInChild(cache: string): { status: number | null; stdout: string; stderr: string } {
  const backends = pathToFileURL(join(packageRoot, "dist/lib/node/backends/backends.js")).href;
  const source = `
    import * as tf from "@tensorflow/tfjs-core";
    import { startNodeBackend } from "${backends}";
    const { name } = await startNodeBackend("tensorflow");
    const x = tf.ones([64, 64]);
    tf.matMul(x, x).dataSync();
    console.log(name);`;
  return spawnSync(process.execPath, ["--input-type=module", "-e", source], {
    cwd: packageRoot,
    env: { ...process.env, CLIPSCOPE_CACHE: cache },
    encoding: "utf8",
  });
}
