import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Golden } from "../../../lib/parity/golden.ts";
import { verify, type TapReport } from "../../../lib/parity/verify.ts";
import { verifyGolden, type VerifyParams } from "../../../lib/studio/calls/parity.ts";
import type { Passes } from "../../../lib/studio/passes.ts";
import { compare } from "../../../lib/tensor/compare.ts";
import { BytesSource } from "../../../lib/tensor/bytes-source.ts";
import { fixture } from "../../support/paths.ts";
import { demoPasses, recordingContext } from "../../support/passes.ts";

describe("the call verifyGolden", () => {
  let passes: Passes;
  before(async () => {
    passes = await demoPasses();
  });
  after(() => passes.model.dispose());

  function params(name: string, more: Partial<VerifyParams> = {}): VerifyParams {
    const bytes = new Uint8Array(readFileSync(fixture(`demo-model/goldens/${name}.safetensors`)));
    return { name, bytes, tolerance: 1e-4, isolated: false, tap: null, ...more };
  }

  it("gives the report of verify, tap by tap, and PyTorch's own error", async () => {
    const context = recordingContext<TapReport>();
    const { report, samples, float32, values } = await verifyGolden(passes, params("both-towers"), context);
    const golden = await Golden.open(new BytesSource("golden", params("both-towers").bytes));
    assert.deepEqual(report, await verify(passes.model, golden));
    assert.equal(report.passed, true);
    assert.equal(samples, 128);
    assert.equal(values, null);
    assert.ok(float32!["visual"]! > 0);
    assert.equal(context.updates.length, report.taps.length);
  });

  for (const [golden, isolated] of [
    ["both-towers", false],
    ["text-tower", true],
  ] as const) {
    it(`gives the values of a tap that have its figures, for ${golden}`, async () => {
      const tap = "text.transformer.encoder.layer.1.output";
      const { report, values } = await verifyGolden(
        passes,
        params(golden, { tap, isolated }),
        recordingContext<TapReport>(),
      );
      const { maxAbs } = report.taps.find(({ name }) => name === tap)!;
      assert.equal(compare(values!.ours, values!.golden).maxAbs, maxAbs);
      assert.equal(values!.ours.length % values!.columns, 0);
    });
  }

  it("refuses the golden of another model", async () => {
    const bytes = new Uint8Array(readFileSync(fixture("tiny/plain/golden.safetensors")));
    const other = { ...params("both-towers"), name: "plain", bytes };
    await assert.rejects(
      async () => verifyGolden(passes, other, recordingContext<TapReport>()),
      /plain: made with images/,
    );
  });
});
