import type { Tensor } from "@tensorflow/tfjs-core";

/** Uses a tensor across awaits and disposes it afterwards, also if `use` fails. */
export async function disposing<T extends Tensor, R>(
  tensor: T,
  use: (tensor: T) => R | Promise<R>,
): Promise<R> {
  try {
    return await use(tensor);
  } finally {
    tensor.dispose();
  }
}
