/**
 * The backward pass of a loss through both towers: gradients go to their receivers as they are computed, from the end of
 * each tower to its beginning. `gradients` (gradients.ts) collects them; training updates weights with them.
 */
import type { Scalar, Tensor4D } from "@tensorflow/tfjs-core";
import { registerTfjsGradients } from "../nn/operations/tfjs-gradients.ts";
import { runRecorded, tensorOf, type Recorded, type Wanted } from "../nn/recompute.ts";
import { runLoaded, weightsOf } from "../nn/stages.ts";
import { runStreaming, type RunOptions, type StreamStart, type Tower } from "../nn/tower.ts";
import type { RowTable } from "../tensor/row-table.ts";
import { pass } from "../tensor/taps.ts";
import { loadAll, type Weight } from "../tensor/weight.ts";
import type { Clip } from "./clip.ts";
import { holding } from "./inputs.ts";
import type { LossInputs } from "./loss.ts";
import { byLength, differentiate, inOrder, scalarOf } from "./loss-gradients.ts";
import { l2Normalize } from "./normalize.ts";

/** The inputs of a loss: images and texts, either of which may be omitted. */
export interface LossSources {
  /** [B, 3, H, W] */
  readonly pixels?: Tensor4D;
  /** In place of pixels: the residual stream that a block of the image tower takes. No part before it gets gradients. */
  readonly stream?: StreamStart;
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
  /**
   * Keep all activations of the forward pass, in place of computing blocks again: a quarter less to compute, in memory
   * that grows with the depth. For gradients of weights alone, not of pixels and taps.
   */
  readonly keepsActivations?: boolean;
}

/** Computes a scalar from the towers' outputs with tfjs operations. */
export type Loss = (inputs: LossInputs) => Scalar;

/** What gradients are computed for, and who receives them. */
export interface Receivers extends Omit<Wanted, "source" | "onSource"> {
  /** Weights that the loss reads itself, such as a classifier's, which are loaded. */
  readonly lossWeights?: readonly Weight[];
  /** Receives the gradient of the pixels, [B, 3, H, W], and owns it; null if it is not wanted. */
  readonly onPixels: ((gradient: Tensor4D) => void) | null;
  /** Called with the loss before the first gradient; if it throws, no gradient is computed. */
  readonly onLoss: (loss: number) => void;
}

/** As a pass. @returns the loss @throws InputError for a model in reduced precision */
export async function backward(
  model: Clip,
  { pixels, stream, rows }: LossSources,
  loss: Loss,
  receivers: Receivers,
  options: BackwardOptions,
): Promise<number> {
  model.weights.assertFloat32("a gradient");
  registerTfjsGradients();
  const run = (images: Omit<LossSources, "rows">): Promise<number> =>
    pass(() =>
      (options.keepsActivations === true ? runAtOnce : runBackward)(
        model,
        { ...images, ...(rows && { rows }) },
        loss,
        receivers,
        options,
      ),
    );
  if (pixels) return holding(pixels, (held) => run({ pixels: held }));
  return stream ? holding(stream.stream, (held) => run({ stream: { ...stream, stream: held } })) : run({});
}

/** The image tower for an input that is null where a stream takes its place: it reads its input in `embed` alone. */
const anyInput = (tower: Clip["visual"]): Tower<unknown> => tower;

async function runBackward(
  { visual, text, logitScale }: Clip,
  { pixels, stream, rows }: LossSources,
  loss: Loss,
  receivers: Receivers,
  options: BackwardOptions,
): Promise<number> {
  const direct: readonly (Weight | RowTable)[] = [logitScale, ...(receivers.lossWeights ?? [])];
  const isImage = ({ name }: Weight | RowTable): boolean => name.startsWith(`${visual.scope.path}.`);
  const isText = (handle: Weight | RowTable): boolean => !direct.includes(handle) && !isImage(handle);
  const order = rows && byLength(rows, options.textsAtOnce);
  const recorded: Recorded[] = [];
  const record = async (tower: Promise<Recorded>): Promise<Recorded> => {
    recorded.push(await tower);
    return recorded.at(-1)!;
  };
  try {
    const image =
      (pixels ?? stream) &&
      (await record(
        runRecorded(
          anyInput(visual),
          { whole: pixels, batches: [pixels] },
          wantedIn(receivers, isImage, pixels ?? null),
          options,
          stream,
        ),
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
    const { value, gradients } = differentiate(forward, [...variables, ...direct.map(tensorOf)]);
    try {
      const [number = NaN] = await value.data<"float32">();
      receivers.onLoss(number);
      for (const [i, handle] of direct.entries()) {
        const gradient = gradients[variables.length + i];
        if (gradient && receivers.weights.has(handle)) receivers.onWeight(handle, gradient.clone());
      }
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

/** As `runBackward`, with all activations kept. A tower in which no weight is wanted runs as usual. */
async function runAtOnce(
  { visual, text, logitScale }: Clip,
  { pixels, stream, rows }: LossSources,
  loss: Loss,
  { weights, onLoss, onWeight }: Receivers,
  { textsAtOnce, ...options }: BackwardOptions,
): Promise<number> {
  const isImage = ({ name }: Weight | RowTable): boolean => name.startsWith(`${visual.scope.path}.`);
  const wantsImage = [...weights].some(isImage);
  const order = rows ? byLength(rows, textsAtOnce) : [];
  const batches = order.map((some) => text.batch(some.map((i) => rows![i]!)));
  const hasImages = pixels !== undefined || stream !== undefined;
  const tower = anyInput(visual);
  const fixedImage = hasImages && !wantsImage ? await runStreaming(tower, pixels, options, stream) : null;
  const loaded = [
    logitScale,
    ...(hasImages && wantsImage ? weightsOf(tower, pixels, stream) : []),
    ...(rows ? weightsOf(text, text.batch(rows)) : []),
  ];
  try {
    await loadAll(loaded);
    const handles = [...weights].filter((handle) => handle.isLoaded);
    const forward = (): Scalar => {
      const images = fixedImage ?? (hasImages ? runLoaded(tower, pixels, stream) : null);
      const texts = rows
        ? inOrder(
            batches.map((batch) => runLoaded(text, batch)),
            order.flat(),
          )
        : null;
      return scalarOf(
        loss({
          images: images && l2Normalize(images),
          texts: texts && l2Normalize(texts),
          logitScale: logitScale.tensor,
        }),
      );
    };
    const { value, gradients } = differentiate(forward, handles.map(tensorOf));
    const rest = [...gradients];
    try {
      const [number = NaN] = await value.data<"float32">();
      onLoss(number);
      for (const handle of handles) {
        const gradient = rest.shift();
        if (gradient) onWeight(handle, gradient);
      }
      return number;
    } finally {
      for (const tensor of [value, ...rest]) tensor?.dispose();
    }
  } finally {
    fixedImage?.dispose();
    for (const weight of loaded) weight.release();
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
