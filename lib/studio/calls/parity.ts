/** Comparison with a golden of the reference. */
import { Golden } from "../../parity/golden.ts";
import { verify, type ComparedValues, type ParityReport, type TapReport } from "../../parity/verify.ts";
import { BytesSource } from "../../tensor/bytes-source.ts";
import type { Answer } from "../answer.ts";

export interface VerifyParams {
  /** A golden file. */
  readonly name: string;
  readonly bytes: Uint8Array;
  readonly tolerance: number;
  /** Give each module the golden's input. */
  readonly isolated: boolean;
  /** The tap whose values are wanted; null for none. */
  readonly tap: string | null;
}

export interface Verified {
  readonly report: ParityReport;
  /** Values kept of each tap; null if the golden's taps are whole. */
  readonly samples: number | null;
  /** PyTorch's own relative L2 in float32 against float64, by tap; null if the golden has none. */
  readonly float32: Readonly<Record<string, number>> | null;
  /** Of the wanted tap; null if it was not compared. */
  readonly values: ComparedValues | null;
}

/**
 * Runs a golden's inputs and compares every tap. Sends each comparison when it is there.
 *
 * @throws InputError if the file is not a golden, or its inputs do not fit the model
 */
export const verifyGolden: Answer<VerifyParams, Verified, TapReport> = async (
  { model },
  { name, bytes, tolerance, isolated, tap },
  { signal, progress, update },
) => {
  const golden = await Golden.open(new BytesSource(name, bytes));
  let done = 0;
  let values: ComparedValues | null = null;
  const report = await verify(model, golden, {
    tolerance,
    isolated,
    onTap: (compared) => {
      signal.throwIfAborted();
      update(compared);
      progress(++done, golden.taps.size);
    },
    ...(tap !== null && {
      values: {
        tap,
        receive: ({ ours, golden: theirs, columns }) => {
          // Copies: views of the whole file would be cloned with it.
          values = { ours: ours.slice(), golden: theirs.slice(), columns };
        },
      },
    }),
  });
  return {
    report,
    samples: golden.samples,
    float32: golden.float32Error && Object.fromEntries(golden.float32Error),
    values,
  };
};
