import { Tensor } from "@tensorflow/tfjs-core";

/**
 * Runs something while tensors cannot be read synchronously, as on a GPU backend: `dataSync`, `arraySync` and what tfjs
 * does with them throw.
 */
export async function withoutBlockingReads<T>(run: () => Promise<T>): Promise<T> {
  const { dataSync } = Tensor.prototype;
  Tensor.prototype.dataSync = () => {
    throw new Error("a tensor is read synchronously");
  };
  try {
    return await run();
  } finally {
    Tensor.prototype.dataSync = dataSync;
  }
}
