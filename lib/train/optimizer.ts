/** AdamW over the weights that a run trains, in two groups: with weight decay and without. */
import type { Tensor } from "@tensorflow/tfjs-core";
import { add, mul, sqrt, square, sum, tidy } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { disposing } from "../tensor/disposing.ts";
import { RowTable } from "../tensor/row-table.ts";
import type { Weight } from "../tensor/weight.ts";
import type { AdamwUpdate } from "./adamw.ts";
import { pytorchOrder } from "./parameter-order.ts";
import type { Parameter } from "./parameter.ts";
import { TrainedTable } from "./trained-table.ts";
import { TrainedWeight } from "./trained-weight.ts";

/** AdamW's settings, in the notation of adamw.ts. */
export interface OptimizerOptions {
  readonly weightDecay: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  /** Which parameters decay. Default: `decaysInOpenClip` */
  readonly decays?: (handle: Weight | RowTable) => boolean;
}

/** open_clip_train 3.3.0: all but vectors and numbers, and what its names say. Source: open_clip_train/main.py. */
export function decaysInOpenClip({ name, shape }: Weight | RowTable): boolean {
  return shape.length >= 2 && !["bn", "ln", "bias", "logit_scale"].some((part) => name.includes(part));
}

/** Gradients that arrive over several passes, or that are scaled before they are used. */
export type CollectedGradients = Map<Parameter, Tensor>;

/** The weights that a run trains, and the updates of its steps. */
export class Optimizer {
  readonly options: OptimizerOptions;
  /** In PyTorch's numbering: those without weight decay first. */
  readonly parameters: readonly Parameter[];
  /** How many of them have no weight decay. */
  readonly undecayed: number;
  readonly #byHandle: ReadonlyMap<Weight | RowTable, Parameter>;
  /** Steps that have begun. */
  #step = 0;
  #rate = 0;

  private constructor(parameters: readonly Parameter[], undecayed: number, options: OptimizerOptions) {
    this.parameters = parameters;
    this.undecayed = undecayed;
    this.options = options;
    this.#byHandle = new Map(parameters.map((parameter) => [parameter.handle, parameter]));
  }

  /** Loads the weights, which stay in memory until `dispose`. @param trained from `trainableWeights` */
  static async create(
    { config, weights }: Clip,
    trained: ReadonlySet<Weight | RowTable>,
    options: OptimizerOptions,
  ): Promise<Optimizer> {
    const byName = new Map(weights.handles.map((handle) => [handle.name, handle]));
    const ordered = pytorchOrder(byName.keys(), config.text.kind === "bert")
      .map((name) => byName.get(name)!)
      .filter((handle) => trained.has(handle));
    return Optimizer.of(ordered, options);
  }

  /** As `create`, for weights that need not be a model's. @param ordered in PyTorch's order */
  static async of(ordered: readonly (Weight | RowTable)[], options: OptimizerOptions): Promise<Optimizer> {
    const { decays = decaysInOpenClip } = options;
    const undecayed = ordered.filter((handle) => !decays(handle));
    const parameters: Parameter[] = [];
    for (const handle of [...undecayed, ...ordered.filter(decays)]) {
      parameters.push(
        handle instanceof RowTable ? new TrainedTable(handle) : await TrainedWeight.start(handle),
      );
    }
    return new Optimizer(parameters, undecayed.length, options);
  }

  get handles(): ReadonlySet<Weight | RowTable> {
    return new Set(this.#byHandle.keys());
  }

  get step(): number {
    return this.#step;
  }

  /** Begins a step: `apply` follows once for each parameter. */
  begin(rate: number): void {
    this.#rate = rate;
    this.#step++;
  }

  /** Continues after so many steps. */
  resume(step: number): void {
    this.#step = step;
  }

  /** Takes a gradient as the backward pass returns it, and its ownership. */
  apply(handle: Weight | RowTable, gradient: Tensor): void {
    const parameter = this.#byHandle.get(handle)!;
    parameter.update(parameter.aligned(gradient), this.#update(parameter));
  }

  /** Adds a gradient to earlier ones, and takes its ownership. */
  collect(handle: Weight | RowTable, gradient: Tensor, into: CollectedGradients): void {
    const parameter = this.#byHandle.get(handle)!;
    const aligned = parameter.aligned(gradient);
    const earlier = into.get(parameter);
    into.set(parameter, earlier ? parameter.sum(earlier, aligned) : aligned);
  }

  /** Uses collected gradients, and disposes them. */
  applyAll(gradients: CollectedGradients): void {
    for (const [parameter, gradient] of gradients) parameter.update(gradient, this.#update(parameter));
    gradients.clear();
  }

  #update(parameter: Parameter): AdamwUpdate {
    const { beta1, beta2, epsilon, weightDecay } = this.options;
    const decays = this.parameters.indexOf(parameter) >= this.undecayed;
    return {
      rate: this.#rate,
      weightDecay: decays ? weightDecay : 0,
      beta1,
      beta2,
      epsilon,
      step: this.#step,
    };
  }

  dispose(): void {
    for (const parameter of this.parameters) parameter.dispose();
  }
}

/**
 * Scales gradients so that the norm of all of them together is at most `most`.
 *
 * Source: torch.nn.utils.clip_grad_norm_.
 * @returns the norm before
 */
export async function clipNorm(gradients: CollectedGradients, most: number): Promise<number> {
  const [norm = NaN] = await disposing(
    tidy(() => {
      const squares = [...gradients.values()].map((gradient) => sum(square(gradient)));
      return sqrt(squares.reduce((total, one) => add(total, one)));
    }),
    (tensor) => tensor.data<"float32">(),
  );
  const scale = most / (norm + 1e-6);
  if (scale < 1) {
    for (const [parameter, gradient] of gradients) {
      gradients.set(parameter, mul(gradient, scale));
      gradient.dispose();
    }
  }
  return norm;
}
