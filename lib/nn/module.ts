/**
 * The base of every layer: a place in the state dict and a forward pass.
 *
 * A layer's constructor gets children and weights from its WeightScope, and does nothing else. `forward` computes the
 * output.
 */
import { tidy, type Tensor } from "@tensorflow/tfjs-core";
import { tap } from "../tensor/taps.ts";
import type { WeightScope } from "../tensor/model-weights.ts";

/** A layer. Its weights are loaded when it is applied. */
export abstract class Module<Inputs extends unknown[], Output extends Tensor = Tensor> {
  /** Its path is the state-dict prefix of the layer's weights and the name of its tap. */
  readonly scope: WeightScope;

  constructor(scope: WeightScope) {
    this.scope = scope;
  }

  /** Computes the layer's output. Callers use `apply`. */
  protected abstract forward(...inputs: Inputs): Output;

  /** Runs the layer, frees its intermediate values, and emits the output as the tap named by the module's path. */
  apply(...inputs: Inputs): Output {
    return tidy(() => tap(this.scope.path, this.forward(...inputs)));
  }
}
