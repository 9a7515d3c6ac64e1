// What the command prints, and which goldens pass, is in spec/cli/commands/verify.spec.ts.
import { strict as assert } from "node:assert";
import { scalar } from "@tensorflow/tfjs-core";
import type { Clip } from "../../lib/clip/clip.ts";
import { InputError } from "../../lib/errors/input-error.ts";
import type { Golden } from "../../lib/parity/golden.ts";
import { verify } from "../../lib/parity/verify.ts";
import { withTaps } from "../../lib/tensor/taps.ts";
import { loadTiny, openGolden, tinyGolden, tolerance } from "../support/golden.ts";
import { withoutBlockingReads } from "../support/no-blocking-reads.ts";
import { fixture } from "../support/paths.ts";
import { valuesOf } from "../support/values.ts";

describe("verify", () => {
  let model: Clip;
  let golden: Golden;
  before(async () => {
    model = await loadTiny("gelu-mlp");
    golden = await openGolden(tinyGolden("gelu-mlp"));
  });
  after(async () => {
    await model.dispose();
    await golden.close();
  });

  for (const isolated of [false, true]) {
    it(`never reads a tensor synchronously${isolated ? ", also with each module isolated" : ""}`, async () => {
      const { passed } = await withoutBlockingReads(async () => {
        const x = scalar(1);
        assert.throws(() => x.dataSync(), /read synchronously/);
        x.dispose();
        return verify(model, golden, { tolerance, isolated });
      });
      assert.equal(passed, true);
    });
  }

  it("reports each tap once, in the order of the computation", async () => {
    const emitted: string[] = [];
    const pixels = golden.readImage()!;
    await withTaps(
      (name) => emitted.push(name),
      async () => {
        await valuesOf(model.encodeImage(pixels));
        await valuesOf(model.encodeTokens(golden.text!, { batchSize: 100 }));
      },
    );
    pixels.dispose();
    const modules = emitted.filter((name) => !name.includes("#"));
    const calls: string[] = [];
    const { taps } = await verify(model, golden, { onTap: ({ name }) => calls.push(name) });
    const names = taps.map(({ name }) => name);
    assert.deepEqual(
      names.filter((name) => modules.includes(name)),
      modules,
    );
    assert.deepEqual(calls.toSorted(), names.toSorted());
  });

  it("refuses a golden of another image size, and whole taps of a sampled golden", async () => {
    const sampled = await openGolden(fixture("full/golden.safetensors"));
    const refused = (isolated: boolean, message: RegExp): Promise<void> =>
      assert.rejects(verify(model, sampled, { isolated }), (error: unknown) => {
        assert.ok(error instanceof InputError);
        assert.match(error.message, message);
        return true;
      });
    await refused(false, /made with images of 224 × 224, but the model takes 28 × 42/);
    await refused(true, /running each module on the golden's input requires whole taps/);
    await sampled.close();
  });
});
