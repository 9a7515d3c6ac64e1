/** The wasm backend's own functions on parts of tensors, where these lie: tfjs's kernels would copy each part first. */
import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";

export type WasmBackend = Pick<
  BackendWasm,
  "wasm" | "dataIdMap" | "makeOutput" | "disposeData" | "getMemoryOffset" | "typedArrayFromHeap"
>;

/** A matrix in the module's memory, by the number that it is registered under. */
export interface Matrix {
  readonly id: number;
  readonly rows: number;
  readonly columns: number;
}

type ByIds = (...values: readonly (number | Uint8Array)[]) => void;

export class WasmMatrices {
  readonly #backend: WasmBackend;
  /** Numbers for parts. tfjs counts whole tensors, from 1 up. */
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

  /** The matrix at `index` of a tensor that is a stack of them; to be forgotten before the tensor is freed. */
  part({ dataId }: TensorInfo, index: number, rows: number, columns: number): Matrix {
    const id = this.#unusedIds.pop() ?? ++this.#lastId;
    const size = rows * columns;
    const offset = this.#backend.getMemoryOffset(dataId) + 4 * size * index;
    this.#backend.wasm.tfjs.registerTensor(id, size, offset);
    return { id, rows, columns };
  }

  /** Ends a part's registration, and frees what XNNPACK keeps of it as a right matrix. */
  forget(part: Matrix): void {
    this.#backend.wasm.tfjs.disposeData(part.id);
    this.#unusedIds.push(part.id);
  }

  /** out ← a · b, plus a row of biases where there is one; XNNPACK keeps a reordered copy of b. */
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
