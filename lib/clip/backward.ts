/**
 * The backward pass of a loss through both towers: gradients go to their receivers as they are computed, from the end of
 * each tower to its beginning. `gradients` (gradients.ts) collects them; training updates weights with them.
 */
import {
  concat,
  engine,
  gather,
  Tensor,
  tensor1d,
  tidy,
  type Scalar,
  type Tensor2D,
  type Tensor4D,
} from "@tensorflow/tfjs-core";
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

/** Options of `backward`. */
export interface BackwardOptions extends RunOptions {
  /**
   * Texts that run together: those of similar length, each batch padded to its longest text. Default: all, which taps
   * require.
   */
  readonly textsAtOnce?: number;
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
  options: BackwardOptions,
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
  options: BackwardOptions,
): Promise<number> {
  const isImage = ({ name }: Weight | RowTable): boolean => name.startsWith(`${visual.scope.path}.`);
  const isText = (handle: Weight | RowTable): boolean => handle !== logitScale && !isImage(handle);
  const order = rows && byLength(rows, options.textsAtOnce);
  const recorded: Recorded[] = [];
  const record = async (tower: Promise<Recorded>): Promise<Recorded> => {
    recorded.push(await tower);
    return recorded.at(-1)!;
  };
  try {
    const image =
      pixels &&
      (await record(
        runRecorded(visual, { whole: pixels, batches: [pixels] }, wantedIn(receivers, isImage, pixels), options),
      ));
    const texts =
      order &&
      (await record(
        runRecorded(
          text,
          { whole: text.batch(rows), batches: order.map((some) => text.batch(some.map((i) => rows[i]!))) },
          wantedIn(receivers, isText, null),
          options,
        ),
      ));
    await logitScale.load();
    const forward = (): Scalar =>
      scalarOf(
        loss({
          images: image ? l2Normalize(image.embeddings[0]!) : null,
          texts: texts ? l2Normalize(inOrder(texts.embeddings, order.flat())) : null,
          logitScale: logitScale.tensor,
        }),
      );
    const variables = recorded.flatMap(({ embeddings }) => embeddings);
    const { value, gradients } = differentiate(forward, [...variables, logitScale.tensor]);
    try {
      const [number = NaN] = await value.data<"float32">();
      receivers.onLoss(number);
      const ofScale = gradients.at(-1);
      if (ofScale && receivers.weights.has(logitScale)) receivers.onWeight(logitScale, ofScale.clone());
      let at = 0;
      for (const tower of recorded) {
        const own = gradients.slice(at, (at += tower.embeddings.length));
        const isReached = own.every((gradient) => gradient !== undefined);
        if (isReached && tower.isWanted) await tower.backward(own);
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

/** The rows in batches of `size`, the shortest first, by their numbers. */
function byLength(rows: readonly (readonly number[])[], size = rows.length): number[][] {
  const order = rows.map((_, i) => i);
  if (rows.length > size) order.sort((a, b) => rows[a]!.length - rows[b]!.length);
  return Array.from({ length: Math.ceil(rows.length / size) }, (_, b) => order.slice(b * size, (b + 1) * size));
}

/** Rows of several batches, which ran in the order `order`, in their original order. */
function inOrder(batches: readonly Tensor2D[], order: readonly number[]): Tensor2D {
  if (batches.length === 1) return batches[0]!;
  const position = new Int32Array(order.length);
  for (const [at, row] of order.entries()) position[row] = at;
  return gather(concat([...batches], 0), tensor1d(position, "int32"));
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
