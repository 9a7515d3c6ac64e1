/** Calls the wasm backend's functions on parts of tensors in place. tfjs's kernels would copy each part first. */
import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

export type WasmBackend = Pick<
  BackendWasm,
  "wasm" | "dataIdMap" | "makeOutput" | "disposeData" | "getMemoryOffset" | "typedArrayFromHeap"
>;

/** A matrix in the WebAssembly module's memory, identified by the number it is registered under. */
export interface Matrix {
  readonly id: number;
  readonly rows: number;
  readonly columns: number;
}

type ByIds = (...values: readonly (number | Uint8Array)[]) => void;

export class WasmMatrices {
  readonly #backend: WasmBackend;
  /** Ids of parts start here. tfjs numbers whole tensors from 1. */
  #lastId = 0x4000_0000;
  readonly #unusedIds: number[] = [];
  readonly #fusedMatMul: ByIds;
  readonly #add: ByIds;

  constructor(backend: WasmBackend) {
    this.#backend = backend;
    const { cwrap } = backend.wasm as typeof backend.wasm & {
      readonly cwrap: (name: string, returns: null, takes: readonly string[]) => ByIds;
    };
    const numbers = (count: number): string[] => Array<string>(count).fill("number");
    const operands = ["number", "array", "number", "number", "array", "number"]; // number, shape, rank
    this.#fusedMatMul = cwrap("_FusedMatMul", null, [...operands, ...numbers(7)]);
    this.#add = cwrap("Add", null, [...operands, ...numbers(2)]);
  }

  /** A tensor as one matrix. */
  whole({ dataId }: TensorInfo, rows: number, columns: number): Matrix {
    return { id: this.idOf({ dataId }), rows, columns };
  }

  idOf({ dataId }: Pick<TensorInfo, "dataId">): number {
    return this.#backend.dataIdMap.get(dataId).id;
  }

  /** The matrix at `index` of a tensor that is a stack of matrices. Call `forget` before the tensor is freed. */
  part({ dataId }: TensorInfo, index: number, rows: number, columns: number): Matrix {
    const id = this.#unusedIds.pop() ?? ++this.#lastId;
    const size = rows * columns;
    const offset = this.#backend.getMemoryOffset(dataId) + 4 * size * index;
    this.#backend.wasm.tfjs.registerTensor(id, size, offset);
    return { id, rows, columns };
  }

  /** Removes a part's registration and frees XNNPACK's packed copy of it, if it was a right matrix. */
  forget(part: Matrix): void {
    this.#backend.wasm.tfjs.disposeData(part.id);
    this.#unusedIds.push(part.id);
  }

  /** out ← a · b + bias. XNNPACK keeps a packed copy of b. @param biasId 0 for no bias */
  multiply(a: Matrix, b: Matrix, out: Matrix, biasId = 0): void {
    const [transpose, linear, noWeights, alpha] = [0, 0, 0, 0];
    const settings = [transpose, transpose, linear, biasId, noWeights, alpha];
    this.#fusedMatMul(a.id, shape(a), 3, b.id, shape(b), 3, ...settings, out.id);
  }

  /** x ← x + y */
  addTo(x: Matrix, y: Matrix): void {
    const float32 = 0;
    this.#add(x.id, shape(x), 3, y.id, shape(y), 3, float32, x.id);
  }
}

function shape({ rows, columns }: Matrix): Uint8Array {
  return new Uint8Array(new Int32Array([1, rows, columns]).buffer);
}
