/**
 * The backward pass of a loss through both towers: gradients go to their receivers as they are computed, from the end of
 * each tower to its beginning. `gradients` (gradients.ts) collects them; training updates weights with them.
 */
import { engine, Tensor, tidy, type Scalar, type Tensor4D } from "@tensorflow/tfjs-core";
import { found } from "../errors/found.ts";
import { InputError } from "../errors/input-error.ts";
import { registerTfjsGradients } from "../nn/operations/tfjs-gradients.ts";
import { disposeTape, runRecorded, type Recorded, type Wanted } from "../nn/recompute.ts";
import type { RunOptions } from "../nn/tower.ts";
import type { RowTable } from "../tensor/row-table.ts";
import { pass } from "../tensor/taps.ts";
import type { Weight } from "../tensor/weight.ts";
import type { Clip } from "./clip.ts";
import { holding } from "./inputs.ts";
import type { LossInputs } from "./loss.ts";
import { l2Normalize } from "./normalize.ts";

/** The inputs of a loss; either may be omitted. */
export interface LossSources {
  /** [B, 3, H, W] */
  readonly pixels?: Tensor4D;
  /** Token ids, as `encodeTokens` takes them; they run as one batch. */
  readonly rows?: readonly (readonly number[])[];
}

/** Computes a scalar from the towers' outputs with tfjs operations. */
export type Loss = (inputs: LossInputs) => Scalar;

/** What gradients are computed for, and who receives them. */
export interface Receivers extends Omit<Wanted, "source" | "onSource"> {
  /** Receives the gradient of the pixels, [B, 3, H, W], and owns it; null if it is not wanted. */
  readonly onPixels: ((gradient: Tensor4D) => void) | null;
  /** Called with the loss before the first gradient; if it throws, no gradient is computed. */
  readonly onLoss: (loss: number) => void;
}

/** As a pass. @returns the loss */
export async function backward(
  model: Clip,
  { pixels, rows }: LossSources,
  loss: Loss,
  receivers: Receivers,
  options: RunOptions,
): Promise<number> {
  registerTfjsGradients();
  const run = (held?: Tensor4D): Promise<number> =>
    pass(() =>
      runBackward(model, { ...(held && { pixels: held }), ...(rows && { rows }) }, loss, receivers, options),
    );
  return pixels ? holding(pixels, run) : run();
}

async function runBackward(
  { visual, text, logitScale }: Clip,
  { pixels, rows }: LossSources,
  loss: Loss,
  receivers: Receivers,
  options: RunOptions,
): Promise<number> {
  const isImage = ({ name }: Weight | RowTable): boolean => name.startsWith(`${visual.scope.path}.`);
  const isText = (handle: Weight | RowTable): boolean => handle !== logitScale && !isImage(handle);
  const recorded: Recorded[] = [];
  try {
    if (pixels) {
      const wanted = wantedIn(receivers, isImage, pixels);
      recorded.push(await runRecorded(visual, pixels, wanted, options));
    }
    if (rows) {
      const wanted = wantedIn(receivers, isText, null);
      recorded.push(await runRecorded(text, text.batch(rows), wanted, options));
    }
    await logitScale.load();
    const image = pixels ? recorded[0]! : null;
    const texts = rows ? recorded.at(-1)! : null;
    const forward = (): Scalar =>
      scalarOf(
        loss({
          images: image && l2Normalize(image.embedding),
          texts: texts && l2Normalize(texts.embedding),
          logitScale: logitScale.tensor,
        }),
      );
    const { value, gradients } = differentiate(forward, [
      ...recorded.map(({ embedding }) => embedding),
      logitScale.tensor,
    ]);
    try {
      const [number = NaN] = await value.data<"float32">();
      receivers.onLoss(number);
      const ofScale = gradients[recorded.length];
      if (ofScale && receivers.weights.has(logitScale)) receivers.onWeight(logitScale, ofScale.clone());
      for (const [i, tower] of recorded.entries()) {
        const gradient = gradients[i];
        if (gradient && tower.isWanted) await tower.backward(gradient);
      }
      return number;
    } finally {
      for (const tensor of [value, ...gradients]) tensor?.dispose();
    }
  } finally {
    logitScale.release();
    for (const tower of recorded) tower.dispose();
  }
}

/** What is wanted of one tower. @param source its input, if that is a tensor */
function wantedIn(
  { weights, onPixels, ...others }: Receivers,
  isOwn: (handle: Weight | RowTable) => boolean,
  source: Tensor4D | null,
): Wanted {
  return {
    ...others,
    weights: new Set([...weights].filter(isOwn)),
    source: onPixels && source,
    onSource: (gradient) => onPixels?.(gradient as Tensor4D),
  };
}

/** @returns undefined for variables that the loss does not depend on */
function differentiate(
  forward: () => Scalar,
  variables: Tensor[],
): { value: Tensor; gradients: (Tensor | undefined)[] } {
  try {
    const [value, ...gradients] = tidy(() => {
      const { value, grads } = engine().gradients(forward, variables, undefined, true);
      return [value, ...grads];
    });
    return { value: value, gradients };
  } catch (error) {
    disposeTape();
    throw error;
  }
}

/** @throws InputError unless a loss returned a scalar */
function scalarOf(loss: Scalar): Scalar {
  const given: unknown = loss;
  if (!(given instanceof Tensor)) {
    throw new InputError(`gradients: expected the loss to be a scalar tensor, found ${found(given)}`);
  }
  if (given.rank === 0) return loss;
  throw new InputError(`gradients: expected the loss to be a scalar, found a tensor [${given.shape}]`);
}
