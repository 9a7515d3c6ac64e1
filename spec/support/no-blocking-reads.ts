import { Tensor } from "@tensorflow/tfjs-core";

/**
 * Runs something while tensors cannot be read synchronously, as on a GPU backend: `dataSync` and `arraySync`
 * throw.
 */
export async function withoutBlockingReads<T>(run: () => Promise<T>): Promise<T> {
  const original = Object.getOwnPropertyDescriptor(Tensor.prototype, "dataSync")!;
  Tensor.prototype.dataSync = () => {
    throw new Error("a tensor is read synchronously");
  };
  try {
    return await run();
  } finally {
    Object.defineProperty(Tensor.prototype, "dataSync", original);
  }
}
