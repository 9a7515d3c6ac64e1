/** The lens on a kept pass: what the stream says about labels after each block, raw and by probes. */
import { InputError } from "../../errors/input-error.ts";
import { modelDigest } from "../../features/model-digest.ts";
import { decodeProbe } from "../../probe/probe-file.ts";
import { softmaxRows } from "../../probe/logits.ts";
import { lens as classTokenLens, tokenLens, type LensScores } from "../../study/lens.ts";
import { zeroShotClassifier, type ZeroShotClassifier } from "../../tasks/zero-shot.ts";
import { BytesSource } from "../../tensor/bytes-source.ts";
import type { TraceSource } from "../../trace/trace-source.ts";
import type { Answer } from "../answer.ts";
import type { Passes } from "../passes.ts";
import { placesOf, shapeOf, statesOf } from "../stream-places.ts";

export interface LensParams {
  /** Of an image's pass. */
  readonly trace: string;
  readonly labels: readonly string[];
  readonly templates: readonly string[];
}

/** The scores of the class token after each block. @throws InputError as `zeroShotClassifier` */
export const lens: Answer<LensParams, LensScores> = (passes, { trace, ...question }) =>
  withClassifier(passes, question, async (classifier) =>
    classTokenLens(passes.model, await statesOf(passes, trace, 0), classifier),
  );

/** The scores of every token after one block. @throws InputError as `zeroShotClassifier`, and for another block */
export const patchLens: Answer<LensParams & { readonly layer: number }, LensScores> = (
  passes,
  { trace, layer, ...question },
) =>
  withClassifier(passes, question, async (classifier) => {
    const { source, states } = placesOf(passes, trace);
    const tap = states[layer + 1];
    if (tap === undefined) {
      throw new InputError(`layer ${layer}: the image tower has the layers 0 to ${states.length - 2}`);
    }
    const [length, width] = shapeOf(source, tap);
    const before = new Float32Array();
    const stream = { length, width, states: [before, await source.read(tap)], middles: [] };
    return tokenLens(passes.model, stream, classifier, 0);
  });

async function withClassifier(
  { model }: Passes,
  { labels, templates }: Pick<LensParams, "labels" | "templates">,
  use: (classifier: ZeroShotClassifier) => Promise<LensScores>,
): Promise<LensScores> {
  const classifier = await zeroShotClassifier(model, labels, templates);
  try {
    return await use(classifier);
  } finally {
    classifier.dispose();
  }
}

export interface ProbeLensParams {
  readonly trace: string;
  /** Probe files of `clipscope probe layers` or `probe fit`. */
  readonly probes: readonly { readonly name: string; readonly bytes: Uint8Array }[];
}

/** What a probe of a tap says about the image. */
export interface ProbeAnswer {
  readonly tap: string;
  /** The block whose output the tap is; null for other taps. */
  readonly layer: number | null;
  readonly classes: readonly string[];
  /** One a class. */
  readonly probabilities: readonly number[];
}

/**
 * The probabilities of probes, each on the tap that it was fitted on.
 *
 * @throws InputError for a file that is no probe, or a probe of another model or of texts
 */
export const probeLens: Answer<ProbeLensParams, ProbeAnswer[]> = async (passes, { trace, probes }) => {
  const { source, states } = placesOf(passes, trace);
  const digest = await modelDigest(passes.model, "image");
  const answered: ProbeAnswer[] = [];
  for (const { name, bytes } of probes) {
    const probe = await decodeProbe(new BytesSource(name, bytes));
    const { tap = "", pool = "class", model_sha256: fitted, normalized } = probe.metadata;
    if (fitted !== digest) {
      throw new InputError(`${name}: the probe was fitted on features of another model, not on this one's`);
    }
    const features = await featuresOf(source, tap, pool, name);
    if (normalized === "true") normalize(features);
    const logits = probe.logits({ values: features, rows: 1, width: features.length });
    const layer = states.indexOf(tap) - 1;
    answered.push({
      tap,
      layer: layer < 0 ? null : layer,
      classes: probe.classNames,
      probabilities: [...softmaxRows(logits, probe.classNames.length)],
    });
  }
  return answered;
};

/** The vector of a tap that a probe takes: the class token's row, or the mean over patches. */
async function featuresOf(
  source: TraceSource,
  tap: string,
  pool: string,
  name: string,
): Promise<Float32Array> {
  const shape = source.taps.find((one) => one.name === tap)?.shape;
  if (shape === undefined)
    throw new InputError(`${name}: the probe reads the tap "${tap}", which an image's pass lacks`);
  const [, length = 1, width = length] = shape;
  if (shape.length === 2 || pool === "class") return (await source.read(tap, 0, width)).slice();
  const values = await source.read(tap, width);
  const mean = new Float32Array(width);
  for (let i = 0; i < values.length; i++) mean[i % width]! += values[i]! / (length - 1);
  return mean;
}

function normalize(vector: Float32Array): void {
  const norm = Math.hypot(...vector);
  for (let i = 0; i < vector.length; i++) vector[i]! /= norm;
}
