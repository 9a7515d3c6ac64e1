/** What an image's score and a text's score depend on. */
import { tensor2d } from "@tensorflow/tfjs-core";
import { deletionCurve, type DeletionCurve } from "../../study/saliency/deletion.ts";
import type { SaliencyMap } from "../../study/saliency/map.ts";
import { explainImage, type SaliencyMethod } from "../../study/saliency/methods.ts";
import { occlusion } from "../../study/saliency/occlusion.ts";
import { textRelevance } from "../../study/saliency/relevance.ts";
import { leaveOneOut, tokenGradients } from "../../study/saliency/tokens.ts";
import { disposing } from "../../tensor/disposing.ts";
import type { Answer } from "../answer.ts";
import { withDirection, withPixels, type ScoredQuestion } from "../questions.ts";
import type { TextPass } from "../results.ts";

export interface ExplainParams extends ScoredQuestion {
  readonly method: SaliencyMethod;
  /** Of `relevance`. */
  readonly startLayer: number;
  /** Of `integrated`. */
  readonly steps: number;
  /** Of `occlusion`, in pixels. */
  readonly window: number;
  readonly stride: number;
}

export interface Explanation {
  /** A cosine, or a difference of cosines. */
  readonly score: number;
  readonly map: SaliencyMap;
}

/** A saliency map of an image. Updates are the map of an occlusion so far. @throws InputError as `explainImage` */
export const explain: Answer<ExplainParams, Explanation, SaliencyMap> = (
  passes,
  { method, startLayer, steps, window, stride, ...question },
  { signal, progress, update },
) =>
  withDirection(passes, question, (direction) =>
    withPixels(passes, question.trace, (pixels) =>
      method === "occlusion"
        ? occlusion(passes.model, pixels, direction, {
            window,
            stride,
            signal,
            onProgress: (done, total, map) => {
              progress(done, total);
              update({ ...map, values: map.values.slice() });
            },
          })
        : explainImage(passes.model, pixels, direction, method, {
            startLayer,
            steps,
            signal,
            onProgress: progress,
          }),
    ),
  );

export interface Deletion {
  /** Patches covered in the order of the map. */
  readonly map: DeletionCurve;
  /** Patches covered in random orders: the mean of their curves. */
  readonly random: DeletionCurve;
}

/** The number of random orders. */
const orders = 3;

/** How fast the score falls when patches are covered in the order of a map, and in random orders. */
export const deletion: Answer<ScoredQuestion & { readonly map: SaliencyMap }, Deletion> = (
  passes,
  { map, ...question },
  { signal, progress },
) =>
  withDirection(passes, question, (direction) =>
    withPixels(passes, question.trace, async (pixels) => {
      const curves: DeletionCurve[] = [];
      for (let run = 0; run <= orders; run++) {
        const ordered = run === 0 ? map : randomMap(map, run);
        curves.push(await deletionCurve(passes.model, pixels, ordered, direction, { signal }));
        progress(run + 1, orders + 1);
      }
      const [own, ...random] = curves;
      return { map: own!, random: meanCurve(random) };
    }),
  );

/** Random numbers in the places of the map's, the same in each run (mulberry32). */
function randomMap(map: SaliencyMap, seed: number): SaliencyMap {
  let state = seed;
  const next = (): number => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
  return { ...map, values: map.values.map(next) };
}

function meanCurve(curves: readonly DeletionCurve[]): DeletionCurve {
  const mean = (pick: (curve: DeletionCurve) => number): number =>
    curves.reduce((sum, curve) => sum + pick(curve), 0) / curves.length;
  const { fractions } = curves[0]!;
  return {
    fractions,
    scores: fractions.map((_, i) => mean(({ scores }) => scores[i]!)),
    area: mean(({ area }) => area),
  };
}

/** What each token of a text does for its cosine with an image. */
export interface TextExplanation {
  /** The cosine. */
  readonly score: number;
  /** The drop of the cosine without the token; null for the tokens that mark the ends, and for texts without others. */
  readonly leaveOneOut: readonly (number | null)[];
  /** The norm of the gradient at the token's embedding; null for the ends. */
  readonly gradient: readonly (number | null)[];
  /** Chefer's relevance, by start layer: [layers][L]. */
  readonly relevance: readonly Float32Array[];
}

/** @param image @param text traces */
export const explainText: Answer<{ readonly image: string; readonly text: string }, TextExplanation> = async (
  passes,
  { image, text },
  { signal },
) => {
  const { features } = passes.find(image);
  const { tokens } = passes.find(text).result as TextPass;
  const row = tokens.map(({ id }) => id);
  return disposing(tensor2d(features, [1, features.length]), async (direction) => {
    const { score, tokens: relevance } = await textRelevance(passes.model, row, direction, { signal });
    const none = row.map(() => null);
    const dropped =
      row.length < 3 ? none : (await leaveOneOut(passes.model, row, direction, { signal })).tokens;
    const { tokens: gradient } = await tokenGradients(passes.model, row, direction, { signal });
    return { score, leaveOneOut: dropped, gradient, relevance };
  });
};
