/** Passes of the two towers, their similarity, and the values of their taps. */
import { memory } from "@tensorflow/tfjs-core";
import type { Answer } from "../answer.ts";
import type { ImagePass, JointPass, NamedBytes, TextPass } from "../results.ts";

/** Runs the image tower, unless its pass is kept. */
export const image: Answer<NamedBytes, ImagePass> = async (passes, params, { signal }) =>
  (await passes.image(params, signal)).result;

/** Runs the text tower, unless its pass is kept. */
export const text: Answer<{ readonly text: string }, TextPass> = async (passes, params, { signal }) =>
  (await passes.text(params.text, signal)).result;

/** The similarity of an image's trace and a text's trace. */
export const joint: Answer<{ readonly image: string; readonly text: string }, JointPass> = (passes, params) =>
  passes.joint(params.image, params.text);

/** A tap's values. */
export const read: Answer<{ readonly trace: string; readonly tap: string }, Float32Array> = async (
  passes,
  { trace, tap },
) => (await passes.find(trace).trace.read(tap)).slice();

/** The number of tensors that tfjs holds. */
export const tensors: Answer<null, number> = async () => Promise.resolve(memory().numTensors);
