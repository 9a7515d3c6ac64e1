/**
 * The network's own operations, as kernels of tfjs: written in tfjs's operations, which any backend has, and replaced by
 * a backend's own where it has a faster one. A layer calls the operation and reads the same on every backend.
 */
import {
  engine,
  getBackend,
  getKernel,
  registerGradient,
  registerKernel,
  tidy,
  type KernelConfig,
  type NamedAttrMap,
  type Tensor,
} from "@tensorflow/tfjs-core";

export interface KernelDefinition<Inputs, Attributes, Output> {
  /** The operation in tfjs's operations: its meaning, and what runs where the backend has no kernel of its own. */
  readonly compute: (inputs: Inputs, attributes: Attributes) => Output;
  /**
   * The derivative: for each input by name, its gradient.
   *
   * @param dy the gradient with respect to the output; tfjs gives a list only where there are several
   * @param output the first one
   */
  readonly gradient: (
    dy: Output,
    inputs: Inputs,
    output: Tensor,
    attributes: Attributes,
  ) => Record<keyof Inputs, () => Tensor>;
}

/** Defines an operation. `name` is its kernel's, under which a backend may register its own. */
export function kernel<
  Inputs extends { readonly [name in keyof Inputs]: Tensor },
  Attributes extends object,
  Output extends Tensor | Tensor[],
>(
  name: string,
  inputNames: readonly (keyof Inputs & string)[],
  { compute, gradient }: KernelDefinition<Inputs, Attributes, Output>,
): (inputs: Inputs, attributes: Attributes) => Output {
  registerGradient({
    kernelName: name,
    saveAllInputs: false,
    inputsToSave: [...inputNames],
    outputsToSave: [true],
    gradFunc: (dy, saved, attributes) => {
      const inputs = Object.fromEntries(inputNames.map((input, i) => [input, saved[i]]));
      return gradient(
        dy as Output,
        inputs as unknown as Inputs,
        saved.at(-1) as Tensor,
        attributes as unknown as Attributes,
      );
    },
  });
  return (inputs, attributes) => {
    // Not beforehand: the backend may be one that nobody here has heard of.
    if ((getKernel(name, getBackend()) as KernelConfig | undefined) === undefined) {
      registerKernel({
        kernelName: name,
        backendName: getBackend(),
        kernelFunc: (call) =>
          tidy(() => compute(call.inputs as unknown as Inputs, call.attrs as unknown as Attributes)),
      });
    }
    return engine().runKernel<Output>(name, inputs, attributes as unknown as NamedAttrMap);
  };
}

/** For inputs into which nothing flows and for which nothing asks: integers, masks. */
export function noGradient(): Tensor {
  throw new Error("this input has no gradient");
}
