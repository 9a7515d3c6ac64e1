/**
 * The network's own operations: tfjs kernels that are defined by tfjs operations, so that they run on every backend, and
 * that a backend can replace by a faster kernel. A layer calls the operation and reads the same on every backend.
 *
 * An operation's definition and its derivative are in one file. docs/how-to/add-a-kernel.md explains how to write a
 * backend's kernel.
 */
import {
  engine,
  getBackend,
  getKernel,
  registerGradient,
  registerKernel,
  tidy,
  unregisterKernel,
  type KernelConfig,
  type KernelFunc,
  type NamedAttrMap,
  type NamedTensorMap,
  type Tensor,
  type TensorInfo,
} from "@tensorflow/tfjs-core";

/** Tensors by name; an optional input is left out. */
type Inputs<I> = { readonly [name in keyof I]: Tensor | undefined };

export interface OperationDefinition<I, Attributes, Output> {
  /** The kernel's name, under which a backend may register a kernel of its own. */
  readonly name: string;
  /** The inputs in order. Optional ones come last. */
  readonly inputs: readonly (keyof I & string)[];
  /** The operation in terms of tfjs operations: its meaning, and the kernel of backends that have no other. */
  readonly compute: (inputs: I, attributes: Attributes) => Output;
  /** Set if `gradient` uses the (first) output. */
  readonly savesOutput?: true;
  /**
   * The derivative: the gradient with respect to each input, by name.
   *
   * @param dy the gradient with respect to the output
   * @param output the first output, if `savesOutput` is set
   */
  readonly gradient: (
    dy: Output,
    inputs: I,
    attributes: Attributes,
    output: Tensor,
  ) => { readonly [name in keyof I]: () => Tensor };
}

/** Defines an operation and registers its derivative. */
export function operation<I extends Inputs<I>, Attributes extends object, Output extends Tensor | Tensor[]>(
  definition: OperationDefinition<I, Attributes, Output>,
): (inputs: I, attributes: Attributes) => Output {
  const { name, inputs: names, compute, gradient, savesOutput = false } = definition;
  registerGradient({
    kernelName: name,
    // tfjs saves all inputs of a kernel only if they are an array, and an array may be shorter by the optional ones.
    saveAllInputs: true,
    outputsToSave: [savesOutput],
    gradFunc: (dy, saved, attributes) => {
      const tensors = savesOutput ? saved.slice(0, -1) : saved;
      const gradients = gradient(
        dy as Output,
        byName<I>(names, tensors),
        attributes as unknown as Attributes,
        saved.at(-1)!,
      );
      return Object.fromEntries(tensors.map((_, i) => [i, gradients[names[i]!]]));
    },
  });
  return (inputs, attributes) => {
    const backendName = getBackend();
    // Registered at the first call, because any backend may be current by then.
    if ((getKernel(name, backendName) as KernelConfig | undefined) === undefined) {
      replaceOperation<I>({ name, inputs: names }, backendName, (tensors, of) =>
        tidy(() => compute(tensors, of as unknown as Attributes)),
      );
    }
    const given = names.map((input) => inputs[input]).filter((tensor) => tensor !== undefined);
    return engine().runKernel<Output>(
      name,
      given as unknown as NamedTensorMap,
      attributes as unknown as NamedAttrMap,
    );
  };
}

/** The part of an operation that a backend needs. */
export interface OperationSignature<I> {
  readonly name: string;
  readonly inputs: readonly (keyof I & string)[];
}

/** Registers a backend's kernel for an operation, in place of the one it has. */
export function replaceOperation<I extends Inputs<I>>(
  { name, inputs }: OperationSignature<I>,
  backendName: string,
  run: (inputs: I, attributes: NamedAttrMap, backend: unknown) => TensorInfo | TensorInfo[],
): void {
  const kernelFunc: KernelFunc = ({ inputs: given, attrs, backend }) =>
    run(byName<I>(inputs, given as unknown as Tensor[]), attrs ?? {}, backend);
  if ((getKernel(name, backendName) as KernelConfig | undefined) !== undefined) {
    unregisterKernel(name, backendName);
  }
  registerKernel({ kernelName: name, backendName, kernelFunc });
}

function byName<I>(names: readonly (keyof I & string)[], tensors: readonly Tensor[]): I {
  return Object.fromEntries(names.map((name, i) => [name, tensors[i]])) as I;
}

/** The gradient of an input that has none: ids, masks. */
export function noGradient(): Tensor {
  throw new Error("this input has no gradient");
}
