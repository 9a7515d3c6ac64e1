/**
 * Gradients of a loss through both towers: with respect to every weight, and to the pixels.
 *
 * For study and for guidance: which pixels and which weights an answer rests on. All weights stay in memory.
 */
import {
  cast,
  engine,
  mean,
  mul,
  logSoftmax,
  neg,
  oneHot,
  range,
  sum,
  transpose,
  matMul,
  exp,
  add,
  tidy,
} from "@tensorflow/tfjs-core";
import type { Scalar, Tensor, Tensor2D, Tensor4D } from "@tensorflow/tfjs-core";
import { runLoaded, type Loadable, type Steps } from "../nn/module.ts";
import { registerGradients } from "../nn/operations/tfjs-gradients.ts";
import { InputError } from "../errors/input-error.ts";
import { pass } from "../tensor/taps.ts";
import { loadAll, RowTable, type Weight } from "../tensor/weights.ts";
import { assertPixels, assertRows, l2Normalize, type Clip } from "./clip.ts";
import { PlainTextTower } from "./text/clip/clip-text-tower.ts";

export interface LossInputs {
  /** [B, 3, H, W] */
  readonly pixels?: Tensor4D;
  /** Token ids, as `encodeTokens` takes them; they run as one batch. */
  readonly rows?: readonly (readonly number[])[];
}

/** What a loss is made of; both embeddings normalised, where their inputs are given. */
export interface LossOutputs {
  /** [B, embedDim] */
  readonly images: Tensor2D | null;
  /** [T, embedDim] */
  readonly texts: Tensor2D | null;
  /** logit_scale, before exp. */
  readonly logitScale: Tensor;
}

export interface Gradients {
  readonly loss: number;
  /** By state-dict name, in PyTorch's layout; without those that the loss does not depend on. The caller disposes them. */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** For tables of which only some rows were read: the row of each row of the gradient. */
  readonly rows: ReadonlyMap<string, readonly number[]>;
  /** [B, 3, H, W]; null without pixels. */
  readonly pixels: Tensor4D | null;
}

/**
 * Computes a loss and its gradients.
 *
 * @param loss computes a scalar of the towers' outputs with tfjs operations
 * @throws InputError for a model whose weights are streamed (they must all be there at once), and for inputs that
 *   `encodeImage` and `encodeTokens` refuse
 */
export async function gradients(
  model: Clip,
  { pixels, rows }: LossInputs,
  loss: (outputs: LossOutputs) => Scalar,
): Promise<Gradients> {
  if (model.weights.residency !== "resident") {
    throw new InputError(`gradients need all weights in memory: load the model with { weights: "resident" }`);
  }
  if (pixels) assertPixels(pixels, model.config, "gradients");
  if (rows) assertRows(rows, model.config, "gradients");
  registerGradients();
  const { visual, text, logitScale } = model;
  const textSteps = rows && prepareText(text, rows);
  return pass(async () => {
    try {
      await loadAll([logitScale, ...(pixels ? [visual.scope] : []), ...(textSteps?.weights ?? [])]);
      const handles = model.weights.handles.filter((handle) => handle.isLoaded);
      const found = tidy(() => {
        const inputs = [...handles.map(tensorOf), ...(pixels ? [pixels] : [])];
        const forward = (): Scalar =>
          loss({
            images: pixels ? l2Normalize(runLoaded(visual.steps(pixels))) : null,
            texts: textSteps ? l2Normalize(runLoaded(textSteps.steps())) : null,
            logitScale: logitScale.tensor,
          });
        const { value, grads } = engine().gradients(forward, inputs, undefined, true);
        return [value, ...grads];
      });
      const [value, ...grads] = found;
      return collect(value!, grads, handles, pixels !== undefined);
    } catch (error) {
      disposeTape();
      throw error;
    } finally {
      for (const handle of model.weights.handles) handle.release();
    }
  });
}

/** tfjs keeps what operations save for the way back, and frees it only at the end of a gradient that succeeds. */
function disposeTape(): void {
  const { state } = engine();
  const tape = state.activeTape as typeof state.activeTape | null; // the type forgets that it is null at rest
  for (const { saved } of tape ?? []) for (const tensor of saved ?? []) tensor.dispose();
  state.activeTape = [];
}

/**
 * CLIP's loss: the cross-entropy of each image among the texts and of each text among the images, pair i with i.
 *
 * Paper: Radford et al., 2021 (arXiv 2103.00020), figure 3. Source: open_clip/loss.py, ClipLoss.
 * @throws InputError unless there are as many images as texts
 */
export function contrastiveLoss({ images, texts, logitScale }: LossOutputs): Scalar {
  if (images?.shape[0] !== texts?.shape[0] || !images || !texts) {
    throw new InputError("the contrastive loss needs pairs: as many images as texts");
  }
  const logits = mul<Tensor2D>(exp(logitScale), matMul(images, texts, false, true)); // [B, B]
  const pairs = cast(oneHot(range(0, images.shape[0], 1, "int32"), images.shape[0]), "float32");
  const crossEntropy = (scores: Tensor2D): Scalar => mean(neg(sum(mul(logSoftmax(scores), pairs), -1)));
  return mul(add(crossEntropy(logits), crossEntropy(transpose(logits))), 0.5);
}

interface PreparedText {
  readonly weights: readonly Loadable[];
  steps(): Steps<Tensor2D>;
}

/** Weights of a text tower and the rows of its tables that a batch needs. */
function prepareText(text: Clip["text"], rows: readonly (readonly number[])[]): PreparedText {
  if (text instanceof PlainTextTower) {
    const batch = text.batch(rows);
    return {
      weights: [text.scope, text.tokenEmbedding.rowsOf(batch.tokens)],
      steps: () => text.steps(batch),
    };
  }
  const batch = text.batch(rows);
  return {
    weights: [text.scope, ...text.transformer.embeddings.weightsOf(batch)],
    steps: () => text.steps(batch),
  };
}

const tensorOf = (handle: Weight | RowTable): Tensor =>
  handle instanceof RowTable ? handle.rows : handle.tensor;

function collect(
  value: Tensor,
  grads: readonly (Tensor | undefined)[],
  handles: readonly (Weight | RowTable)[],
  hasPixels: boolean,
): Gradients {
  const weights = new Map<string, Tensor>();
  const rows = new Map<string, readonly number[]>();
  for (const [i, handle] of handles.entries()) {
    const gradient = grads[i];
    if (!gradient) continue; // the loss does not depend on it
    if (handle instanceof RowTable) {
      weights.set(handle.name, gradient);
      rows.set(handle.name, handle.ids);
    } else {
      weights.set(handle.name, handle.asStored(gradient));
      gradient.dispose();
    }
  }
  const pixels = hasPixels ? ((grads[handles.length] ?? null) as Tensor4D | null) : null;
  const loss = value.dataSync()[0]!;
  value.dispose();
  return { loss, weights, rows, pixels };
}
