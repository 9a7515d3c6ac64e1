/**
 * Gradients of a loss through both towers, with respect to weights, the pixels, and the values at taps.
 *
 * For study, guidance and training: which pixels, attention probabilities and weights an answer depends on. Blocks are
 * computed again on the way back (lib/nn/recompute.ts), so that the memory does not grow with the depth.
 */
import { engine, Tensor, tidy, type Scalar, type Tensor4D } from "@tensorflow/tfjs-core";
import { assertCallback, assertOptions, assertSignal, assertTextList } from "../errors/arguments.ts";
import { found } from "../errors/found.ts";
import { InputError } from "../errors/input-error.ts";
import { registerTfjsGradients } from "../nn/operations/tfjs-gradients.ts";
import { disposeTape, runRecorded, type Recorded, type Wanted } from "../nn/recompute.ts";
import type { RunOptions } from "../nn/tower.ts";
import { RowTable } from "../tensor/row-table.ts";
import { TapGlobs } from "../tensor/tap-globs.ts";
import { pass } from "../tensor/taps.ts";
import type { Weight } from "../tensor/weight.ts";
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

type Loss = (inputs: LossInputs) => Scalar;

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
  registerTfjsGradients();
  const compute = (held?: Tensor4D): Promise<Gradients> =>
    pass(() => new Computation(model, loss, options).run(held, rows));
  return pixels ? holding(pixels, compute) : compute();
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

  async run(pixels: Tensor4D | undefined, rows: GradientInputs["rows"]): Promise<Gradients> {
    const { visual, text, weights, logitScale } = this.#model;
    const isImage = ({ name }: Weight | RowTable): boolean => name.startsWith(`${visual.scope.path}.`);
    const ofText = weights.handles.filter((handle) => handle !== logitScale && !isImage(handle));
    const recorded: Recorded[] = [];
    const record = async (tower: Promise<Recorded>): Promise<Recorded> => {
      recorded.push(await tower);
      return recorded.at(-1)!;
    };
    try {
      const wantsPixels = this.#globs?.matches("pixels") ?? true;
      const image = pixels
        ? await record(
            runRecorded(
              visual,
              pixels,
              this.#wanted(weights.handles.filter(isImage), wantsPixels ? pixels : null),
              this.#options,
            ),
          )
        : null;
      const texts = rows
        ? await record(runRecorded(text, text.batch(rows), this.#wanted(ofText, null), this.#options))
        : null;
      const wantsScale = this.#globs?.matches(logitScale.name) ?? true;
      this.#assertAllMatch();
      await logitScale.load();
      const { value, byTower } = this.#ofLoss(image, texts, wantsScale);
      try {
        for (const [tower, gradient] of byTower) if (tower.isWanted) await tower.backward(gradient);
        const [number = NaN] = await value.data<"float32">();
        return { loss: number, weights: this.#weights, rows: this.#rows, pixels: this.#pixels };
      } finally {
        for (const tensor of [value, ...byTower.map(([, gradient]) => gradient)]) tensor.dispose();
      }
    } catch (error) {
      for (const tensor of [...this.#weights.values(), ...(this.#pixels ? [this.#pixels] : [])])
        tensor.dispose();
      throw error;
    } finally {
      logitScale.release();
      for (const tower of recorded) tower.dispose();
    }
  }

  #wanted(handles: readonly (Weight | RowTable)[], source: Tensor | null): Wanted {
    const { onTap } = this.#options;
    const globs = this.#globs;
    return {
      weights: new Set(globs ? handles.filter(({ name }) => globs.matches(name)) : handles),
      source,
      tap: (name) => {
        this.#seen.add(name);
        if (globs?.matches(name) !== true) return false;
        if (onTap === undefined)
          throw new InputError(`gradients: the tap "${name}" requires the option onTap`);
        return true;
      },
      onTap: (name, gradient, value) => onTap?.(name, gradient, value),
      onWeight: (handle, gradient) => {
        this.#collect(handle, gradient);
      },
      onSource: (gradient) => {
        this.#pixels = gradient as Tensor4D;
      },
    };
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

  /** The loss, and its gradients with respect to the embeddings. */
  #ofLoss(
    image: Recorded | null,
    texts: Recorded | null,
    wantsScale: boolean,
  ): { value: Tensor; byTower: (readonly [Recorded, Tensor])[] } {
    const { logitScale } = this.#model;
    const towers = [image, texts].filter((tower) => tower !== null);
    const forward = (): Scalar =>
      scalarOf(
        this.#loss({
          images: image && l2Normalize(image.embedding),
          texts: texts && l2Normalize(texts.embedding),
          logitScale: logitScale.tensor,
        }),
      );
    try {
      const variables: Tensor[] = [...towers.map(({ embedding }) => embedding), logitScale.tensor];
      const computed = tidy(() => {
        const { value, grads } = engine().gradients(forward, variables, undefined, true);
        return [value, ...grads];
      });
      const [value, ...grads] = computed as [Tensor, ...(Tensor | undefined)[]]; // undefined: the loss does not depend on it
      const ofScale = grads[towers.length];
      if (ofScale && wantsScale) this.#collect(logitScale, ofScale);
      else ofScale?.dispose();
      const byTower = towers.map((tower, i) => [tower, grads[i]] as const);
      return { value, byTower: byTower.filter((pair): pair is [Recorded, Tensor] => pair[1] !== undefined) };
    } catch (error) {
      disposeTape();
      throw error;
    }
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
