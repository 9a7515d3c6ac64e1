/**
 * Gradients of a loss through both towers, with respect to every weight and to the pixels.
 *
 * For study and guidance: which pixels and weights an answer depends on. All weights are in memory.
 */
import { engine, Tensor, tidy, type Scalar, type Tensor4D } from "@tensorflow/tfjs-core";
import { assertOptions } from "../errors/arguments.ts";
import { found } from "../errors/found.ts";
import { InputError } from "../errors/input-error.ts";
import { registerTfjsGradients } from "../nn/operations/tfjs-gradients.ts";
import { runLoaded } from "../nn/tower.ts";
import { pass } from "../tensor/taps.ts";
import { RowTable } from "../tensor/row-table.ts";
import { loadAll, type Loadable, type Weight } from "../tensor/weight.ts";
import type { Clip } from "./clip.ts";
import { assertModel, assertPixels, assertRows, holding } from "./inputs.ts";
import type { LossInputs } from "./loss.ts";
import { l2Normalize } from "./normalize.ts";

/** The inputs of `gradients`; either may be omitted. */
export interface GradientInputs {
  /** [B, 3, H, W] */
  readonly pixels?: Tensor4D;
  /** Token ids, as `encodeTokens` takes them; they run as one batch. */
  readonly rows?: readonly (readonly number[])[];
}

/** A loss and its gradients. */
export interface Gradients {
  readonly loss: number;
  /**
   * By state-dict name, in PyTorch's layout. Weights that the loss does not depend on are left out. The caller disposes
   * the tensors.
   */
  readonly weights: ReadonlyMap<string, Tensor>;
  /** For tables of which only some rows were read: the table row that each row of the gradient belongs to. */
  readonly rows: ReadonlyMap<string, readonly number[]>;
  /** [B, 3, H, W]; null without pixels. */
  readonly pixels: Tensor4D | null;
}

/**
 * Computes a loss and its gradients.
 *
 * @param loss computes a scalar from the towers' outputs with tfjs operations
 * @throws InputError for a model whose weights are streamed, inputs that `encodeImage` and `encodeTokens` refuse, a loss
 *   that is not a scalar, or a disposed model
 */
export async function gradients(
  model: Clip,
  inputs: GradientInputs,
  loss: (inputs: LossInputs) => Scalar,
): Promise<Gradients> {
  assertModel(model, "gradients");
  assertOptions(inputs, ["pixels", "rows"], "gradients");
  const given: unknown = loss;
  if (typeof given !== "function") {
    throw new InputError(`gradients: expected a function that computes the loss, found ${found(given)}`);
  }
  const { pixels, rows } = inputs;
  if (model.weights.residency !== "resident") {
    throw new InputError(
      `gradients need all weights in memory: load the model with { residency: "resident" }`,
    );
  }
  if (pixels) assertPixels(pixels, model.config, "gradients");
  if (rows) assertRows(rows, model.config, "gradients");
  registerTfjsGradients();
  return pixels
    ? holding(pixels, (held) => computeGradients(model, held, rows, loss))
    : computeGradients(model, undefined, rows, loss);
}

function computeGradients(
  model: Clip,
  pixels: Tensor4D | undefined,
  rows: GradientInputs["rows"],
  loss: (inputs: LossInputs) => Scalar,
): Promise<Gradients> {
  const { visual, text, logitScale } = model;
  const batch = rows && text.batch(rows);
  const used: Loadable[] = [logitScale];
  if (pixels) used.push(visual.scope);
  if (batch) used.push(text.scope, ...text.embedWeights(batch));
  return pass(async () => {
    try {
      await loadAll(used);
      const handles = model.weights.handles.filter((handle) => handle.isLoaded);
      const found = tidy(() => {
        const inputs = [...handles.map(tensorOf), ...(pixels ? [pixels] : [])];
        const forward = (): Scalar =>
          scalarOf(
            loss({
              images: pixels ? l2Normalize(runLoaded(visual, pixels)) : null,
              texts: batch ? l2Normalize(runLoaded(text, batch)) : null,
              logitScale: logitScale.tensor,
            }),
          );
        const { value, grads } = engine().gradients(forward, inputs, undefined, true);
        return [value, ...grads];
      });
      const [value, ...grads] = found;
      return await collect(value!, grads, handles, pixels !== undefined);
    } catch (error) {
      disposeTape();
      throw error;
    } finally {
      for (const handle of model.weights.handles) handle.release();
    }
  });
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

/** tfjs keeps what operations save for the backward pass, and frees it only at the end of a gradient that succeeds. */
function disposeTape(): void {
  const { state } = engine();
  const tape = state.activeTape as typeof state.activeTape | null; // null outside a gradient, contrary to its declared type
  for (const { saved } of tape ?? []) for (const tensor of saved ?? []) tensor.dispose();
  state.activeTape = [];
}

const tensorOf = (handle: Weight | RowTable): Tensor =>
  handle instanceof RowTable ? handle.rows : handle.tensor;

async function collect(
  value: Tensor,
  grads: readonly (Tensor | undefined)[],
  handles: readonly (Weight | RowTable)[],
  hasPixels: boolean,
): Promise<Gradients> {
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
  const [loss = NaN] = await value.data<"float32">();
  value.dispose();
  return { loss, weights, rows, pixels };
}
