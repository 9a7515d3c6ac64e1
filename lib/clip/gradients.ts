/**
 * Gradients of a loss through both towers, with respect to weights, the pixels, and the values at taps.
 *
 * For study, guidance and training: which pixels, attention probabilities and weights an answer depends on. Blocks are
 * computed again on the way back (lib/nn/recompute.ts), so that the memory does not grow with the depth.
 */
import type { Tensor, Tensor4D } from "@tensorflow/tfjs-core";
import { assertCallback, assertOptions, assertSignal, assertTextList } from "../errors/arguments.ts";
import { found } from "../errors/found.ts";
import { InputError } from "../errors/input-error.ts";
import type { RunOptions } from "../nn/tower.ts";
import { RowTable } from "../tensor/row-table.ts";
import { TapGlobs } from "../tensor/tap-globs.ts";
import type { Weight } from "../tensor/weight.ts";
import { backward, type Loss, type LossSources, type Receivers } from "./backward.ts";
import type { Clip } from "./clip.ts";
import { assertModel, assertPixels, assertRows } from "./inputs.ts";

/** The inputs of `gradients`; either may be omitted. */
export type GradientInputs = LossSources;

/** Options of `gradients`. */
export interface GradientOptions extends RunOptions {
  /**
   * Globs of what gradients are computed for: `pixels`, names of weights (`visual.proj`), names of taps
   * (`*attn#probabilities`). Only the blocks from the first of them on are computed again. Default: all weights and the
   * pixels.
   */
  readonly of?: readonly string[];
  /**
   * Receives the gradient and the value of each tap that `of` matches, from the end of a tower to its beginning. It
   * borrows the tensors until its promise settles. Required if `of` matches a tap.
   */
  readonly onTap?: (name: string, gradient: Tensor, value: Tensor) => unknown;
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
  /** [B, 3, H, W]; null without pixels, or if `of` does not name them. */
  readonly pixels: Tensor4D | null;
}

/**
 * Computes a loss and its gradients.
 *
 * Taps are emitted once, in the forward pass. A patch of `withTaps` is in force in both directions.
 *
 * @param loss computes a scalar from the towers' outputs with tfjs operations
 * @throws InputError for inputs that `encodeImage` and `encodeTokens` refuse, a glob that matches nothing, a loss that is
 *   not a scalar, or a disposed model; the signal's reason if it is aborted
 */
export async function gradients(
  model: Clip,
  inputs: GradientInputs,
  loss: Loss,
  options: GradientOptions = {},
): Promise<Gradients> {
  assertModel(model, "gradients");
  assertOptions(inputs, ["pixels", "rows"], "gradients");
  assertOptions(options, ["of", "onTap", "signal", "onBlock"], "gradients");
  const given: unknown = loss;
  if (typeof given !== "function") {
    throw new InputError(`gradients: expected a function that computes the loss, found ${found(given)}`);
  }
  if (options.of !== undefined) assertTextList(options.of, "globs", "gradients: of");
  assertCallback(options.onTap, "gradients: onTap");
  assertCallback(options.onBlock, "gradients: onBlock");
  assertSignal(options.signal, "gradients: signal");
  const { pixels, rows } = inputs;
  if (pixels) assertPixels(pixels, model.config, "gradients");
  if (rows) assertRows(rows, model.config, "gradients");
  return new Computation(model, loss, options).run(inputs);
}

/** One call of `gradients`. */
class Computation {
  readonly #model: Clip;
  readonly #loss: Loss;
  readonly #options: GradientOptions;
  readonly #globs: TapGlobs | null;
  readonly #seen = new Set<string>();
  readonly #weights = new Map<string, Tensor>();
  readonly #rows = new Map<string, readonly number[]>();
  #pixels: Tensor4D | null = null;

  constructor(model: Clip, loss: Loss, options: GradientOptions) {
    this.#model = model;
    this.#loss = loss;
    this.#options = options;
    this.#globs = options.of ? new TapGlobs(options.of) : null;
  }

  async run(inputs: GradientInputs): Promise<Gradients> {
    const globs = this.#globs;
    const handles = this.#model.weights.handles.filter(({ name }) => globs?.matches(name) ?? true);
    const wantsPixels = inputs.pixels !== undefined && (globs?.matches("pixels") ?? true);
    const { onTap } = this.#options;
    const receivers: Receivers = {
      weights: new Set(handles),
      tap: (name) => this.#wantsTap(name),
      onTap: (name, gradient, value) => onTap?.(name, gradient, value),
      onWeight: (handle, gradient) => {
        this.#collect(handle, gradient);
      },
      onPixels: wantsPixels ? (gradient) => void (this.#pixels = gradient) : null,
      onLoss: () => {
        this.#assertAllMatch();
      },
    };
    try {
      const loss = await backward(this.#model, inputs, this.#loss, receivers, this.#options);
      return { loss, weights: this.#weights, rows: this.#rows, pixels: this.#pixels };
    } catch (error) {
      for (const tensor of [...this.#weights.values(), ...(this.#pixels ? [this.#pixels] : [])])
        tensor.dispose();
      throw error;
    }
  }

  #wantsTap(name: string): boolean {
    this.#seen.add(name);
    if (this.#globs?.matches(name) !== true) return false;
    if (this.#options.onTap !== undefined) return true;
    throw new InputError(`gradients: the tap "${name}" requires the option onTap`);
  }

  #collect(handle: Weight | RowTable, gradient: Tensor): void {
    if (handle instanceof RowTable) {
      this.#weights.set(handle.name, gradient);
      this.#rows.set(handle.name, handle.ids);
    } else {
      this.#weights.set(handle.name, handle.asStored(gradient));
      gradient.dispose();
    }
  }

  #assertAllMatch(): void {
    const [glob] = this.#globs?.unmatched ?? [];
    if (glob === undefined) return;
    throw new InputError(
      `gradients: nothing matches ${JSON.stringify(glob)}; expected "pixels", a weight, or one of`,
      [...this.#seen],
    );
  }
}
