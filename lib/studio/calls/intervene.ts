/** Interventions in the pass of an image: what the answer needs. */
import { tensor, type Tensor, type Tensor2D } from "@tensorflow/tfjs-core";
import { effectOf, type TapChange } from "../../study/effects.ts";
import type { Intervention } from "../../study/intervene.ts";
import { causalTrace, sweepHeads } from "../../study/sweep.ts";
import { disposing } from "../../tensor/disposing.ts";
import type { Answer } from "../answer.ts";
import type { Passes } from "../passes.ts";
import {
  withClassifier,
  withDirection,
  withPixels,
  type ImageQuestion,
  type ScoredQuestion,
} from "../questions.ts";
import { placesOf } from "../stream-places.ts";

/** All scores are logits: exp(logit_scale) · cosine. */
export interface Sweep {
  readonly score: number;
  /** [layers][heads]; below 0: the head speaks for the label. */
  readonly changes: readonly Float32Array[];
}

/** Takes out one head after the other. Progress counts heads. */
export const sweep: Answer<ScoredQuestion & { readonly by: "zero" | "mean" }, Sweep> = (
  passes,
  { by, ...question },
  { signal, progress },
) =>
  withDirection(passes, question, async (direction, scale) => {
    const found = await withPixels(passes, question.trace, (pixels) =>
      sweepHeads(passes.model, { pixels }, direction, { by, signal, onProgress: progress }),
    );
    return {
      score: found.score * scale,
      changes: found.changes.map((layer) => layer.map((change) => change * scale)),
    };
  });

/** What replaces a value: zeros, the mean over tokens, or the value of another image's pass. */
export type Replacement = "zero" | "mean" | "other";

export interface InterveneParams extends ImageQuestion {
  readonly tap: string;
  readonly by: Replacement;
  readonly heads?: readonly number[];
  readonly tokens?: readonly number[];
  readonly neurons?: readonly number[];
  /** The trace of the other image; for `by: "other"`. */
  readonly other?: string;
}

export interface InterveneResult {
  /** Logits of the labels. */
  readonly before: readonly number[];
  readonly after: readonly number[];
  /**
   * Of what block 0 takes and of what each block leaves: the state's relative L2; 0 where it did not change. A state that
   * is itself replaced counts as the block has left it.
   */
  readonly states: readonly number[];
}

/** Replaces a part of one value and measures the answer again. @throws InputError as `effectOf` */
export const intervene: Answer<InterveneParams, InterveneResult> = async (passes, params, { signal }) => {
  const { trace, tap, by, other, heads, tokens, neurons } = params;
  const donor = by === "other" ? await valueOf(passes, other ?? trace, tap) : null;
  const one: Intervention = {
    tap,
    by: donor ?? (by as "zero" | "mean"),
    ...(heads && { heads }),
    ...(tokens && { tokens }),
    ...(neurons && { neurons }),
  };
  const { states } = placesOf(passes, trace);
  try {
    return await withClassifier(passes, params, (classifier) =>
      withPixels(passes, trace, async (pixels) => {
        const run = async (): Promise<Tensor2D> =>
          disposing(await passes.model.encodeImage(pixels, { normalize: true, signal }), (features) =>
            classifier.logits(features),
          );
        const { before, after, changes } = await effectOf(run, [one], [...states, tap]);
        const changed = new Map(changes.map((change: TapChange) => [change.tap, change.relativeL2]));
        return {
          before: [...before],
          after: [...after],
          states: states.map((state) => changed.get(state) ?? 0),
        };
      }),
    );
  } finally {
    donor?.dispose();
  }
};

/** Where the clean image's states bring its answer back, in the pass of another image. */
export interface Causal {
  readonly clean: number;
  readonly corrupted: number;
  /** 1 where one token brings the answer back: [states][tokens]. */
  readonly recovered: readonly Float32Array[];
}

/** @throws InputError as `causalTrace` */
export const causal: Answer<ScoredQuestion & { readonly other: string }, Causal> = (
  passes,
  { other, ...question },
  { signal, progress },
) =>
  withDirection(passes, question, async (direction, scale) => {
    const found = await withPixels(passes, question.trace, (clean) =>
      withPixels(passes, other, (corrupted) =>
        causalTrace(passes.model, { pixels: clean }, { pixels: corrupted }, direction, {
          signal,
          onProgress: progress,
        }),
      ),
    );
    return {
      clean: found.clean * scale,
      corrupted: found.corrupted * scale,
      recovered: found.recovered,
    };
  });

async function valueOf(passes: Passes, trace: string, tap: string): Promise<Tensor> {
  const source = passes.find(trace).trace;
  const values = await source.read(tap);
  return tensor(values.slice(), [...source.taps.find(({ name }) => name === tap)!.shape]);
}
