/** Passes of the two towers, their similarity, and the values of their taps. */
import { memory } from "@tensorflow/tfjs-core";
import type { Answer } from "../answer.ts";
import type { ImageEnd, ImagePart, JointPass, NamedBytes, TextPass } from "../results.ts";

/** Runs the image tower, unless its pass is kept. Sends the pass in parts: after each block, or all of a kept pass. */
export const image: Answer<NamedBytes, ImageEnd, ImagePart> = async (passes, params, context) => {
  const { trace, milliseconds } = (await passes.image(params, context)).result;
  return { trace, milliseconds };
};

/** Runs the text tower, unless its pass is kept. */
export const text: Answer<{ readonly text: string }, TextPass> = async (passes, params, context) =>
  (await passes.text(params.text, context)).result;

/** The similarity of an image's trace and a text's trace. */
export const joint: Answer<{ readonly image: string; readonly text: string }, JointPass> = async (
  passes,
  params,
) => (await passes.joint(params.image, params.text)).result;

/** Which values of a tap are wanted: all, or `count` from the value `start` on. */
export interface ReadParams {
  readonly trace: string;
  readonly tap: string;
  readonly start?: number;
  readonly count?: number;
}

/** A tap's values. */
export const read: Answer<ReadParams, Float32Array> = async (passes, { trace, tap, start, count }) =>
  (await passes.find(trace).trace.read(tap, start, count)).slice();

/** The number of tensors that tfjs holds. */
export const tensors: Answer<null, number> = async () => Promise.resolve(memory().numTensors);
