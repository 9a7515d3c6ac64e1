/**
 * Interventions: a value inside a pass is replaced, and the answer is measured again. Unlike attention or gradients, this
 * shows what the network needs.
 *
 * Papers: Michel, Levy, Neubig, "Are Sixteen Heads Really Better than One?", 2019 (arXiv 1905.10650), for ablations of
 * heads; Zhang, Nanda, "Towards Best Practices of Activation Patching", 2024 (arXiv 2309.16042).
 */
import { broadcastTo, mean, reshape, tensor, where, zerosLike, type Tensor } from "@tensorflow/tfjs-core";
import { InputError } from "../errors/input-error.ts";
import type { Patch } from "../tensor/taps.ts";

/** A replacement of a part of a tapped value. Without `heads`, `tokens` and `neurons`, the whole value is replaced. */
export interface Intervention {
  /** The name of the tap. */
  readonly tap: string;
  /**
   * `zero`; `mean`: the mean over the tokens of the same value; or the value of the same tap in another pass, of the same
   * shape (or of one input, for all inputs of the batch). The caller keeps and disposes it.
   */
  readonly by: "zero" | "mean" | Tensor;
  /** Of attention probabilities [B, heads, L, L]. */
  readonly heads?: readonly number[];
  /** Of values [B, L, D]; of attention probabilities, the tokens that look. */
  readonly tokens?: readonly number[];
  /** Along the last axis of values [B, L, D] and [B, D]. */
  readonly neurons?: readonly number[];
  /** Inputs of the batch. Default: all. */
  readonly inputs?: readonly number[];
}

/**
 * A patch that makes interventions, for `withTaps(sink, run, patch)`. Of several at one tap, the later ones see what the
 * earlier ones made.
 *
 * An intervention that selects nothing (`heads: []`) changes no bit.
 * @throws InputError in the pass, for an index or a selection that the value does not have, or another value's shape
 */
export function interventions(list: readonly Intervention[]): Patch {
  return (name, value) => {
    const here = list.filter(({ tap, ...parts }) => tap === name && selectsSomething(parts));
    return here.length === 0 ? null : here.reduce((changed, one) => intervened(one, changed), value);
  };
}

type Selection = Pick<Intervention, "heads" | "tokens" | "neurons" | "inputs">;

function selectsSomething({ heads, tokens, neurons, inputs }: Selection): boolean {
  return [heads, tokens, neurons, inputs].every((list) => list === undefined || list.length > 0);
}

function intervened(intervention: Intervention, value: Tensor): Tensor {
  const { by, tap } = intervention;
  const replacement =
    by === "zero" ? zerosLike(value) : by === "mean" ? meanOverTokens(value, tap) : given(by, value, tap);
  return where(selected(intervention, value), replacement, value);
}

/** Attention: each query's row becomes the mean row. */
function meanOverTokens(value: Tensor, tap: string): Tensor {
  if (value.rank < 3)
    throw new InputError(`the intervention at "${tap}": the value [${value.shape}] has no tokens`);
  return broadcastTo(mean(value, -2, true), value.shape);
}

function given(by: Tensor, value: Tensor, tap: string): Tensor {
  const [, ...one] = value.shape;
  if (by.shape.join() === value.shape.join()) return by;
  if (by.shape.join() === [1, ...one].join()) return broadcastTo(by, value.shape);
  throw new InputError(
    `the intervention at "${tap}": expected a value of the shape [${value.shape}], found [${by.shape}]`,
  );
}

/** True where the value is replaced, in the value's shape. */
function selected({ tap, ...selection }: Intervention, value: Tensor): Tensor {
  const axes = axesOf(selection, value.rank, tap);
  const marks = value.shape.map((size, axis) => {
    const chosen = axes.get(axis);
    const wrong = chosen?.find((i) => !(Number.isInteger(i) && i >= 0 && i < size));
    if (wrong !== undefined) {
      throw new InputError(
        `the intervention at "${tap}": expected indices from 0 to ${size - 1} along axis ${axis}, found ${wrong}`,
      );
    }
    return Uint8Array.from({ length: size }, (_, i) => (chosen === undefined || chosen.includes(i) ? 1 : 0));
  });
  const mask = marks.reduce((inner, axis) => {
    const outer = new Uint8Array(inner.length * axis.length);
    for (const [i, mark] of inner.entries()) {
      if (mark === 1) outer.set(axis, i * axis.length);
    }
    return outer;
  }, Uint8Array.of(1));
  return reshape(tensor(mask, [mask.length], "bool"), value.shape);
}

function axesOf(
  { heads, tokens, neurons, inputs }: Selection,
  rank: number,
  tap: string,
): Map<number, readonly number[]> {
  const places: readonly [string, readonly number[] | undefined, number | null][] = [
    ["inputs", inputs, 0],
    ["heads", heads, rank === 4 ? 1 : null],
    ["tokens", tokens, rank === 4 ? 2 : rank === 3 ? 1 : null],
    ["neurons", neurons, rank === 2 || rank === 3 ? rank - 1 : null],
  ];
  const axes = new Map<number, readonly number[]>();
  for (const [name, chosen, axis] of places) {
    if (chosen === undefined) continue;
    if (axis === null) {
      throw new InputError(`the intervention at "${tap}": a value with ${rank} axes has no ${name}`);
    }
    axes.set(axis, chosen);
  }
  return axes;
}
