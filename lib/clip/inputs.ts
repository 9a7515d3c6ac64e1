/** Checks of what users hand to the network. */
import { keep, Tensor, type Rank, type Tensor2D, type Tensor4D } from "@tensorflow/tfjs-core";
import { found } from "../errors/found.ts";
import { InputError } from "../errors/input-error.ts";
import type { StreamStart, Tower } from "../nn/tower.ts";
import type { ClipConfig } from "./config/clip-config.ts";

/** @throws InputError unless the value is a model */
export function assertModel(model: object, where: string): void {
  const given = model as { readonly encodeImage?: unknown } | null | undefined;
  if (typeof given?.encodeImage === "function") return;
  throw new InputError(`${where}: expected a model from loadModel, found ${found(given)}`);
}

/** @throws InputError unless the value is a tensor that is not disposed */
export function assertTensor(value: Tensor, what: string, where: string): void {
  const given: unknown = value;
  if (!(given instanceof Tensor)) {
    throw new InputError(`${where}: expected a tensor of ${what}, found ${found(given)}`);
  }
  if (given.isDisposed) throw new InputError(`${where}: expected ${what}, found a disposed tensor`);
}

/** @throws InputError unless they are what the image tower takes */
export function assertPixels(pixels: Tensor4D, { vision }: ClipConfig, where: string): void {
  const [height, width] = vision.imageSize;
  assertTensor(pixels, `pixels [B, 3, ${height}, ${width}]`, where);
  if (pixels.shape[0] === 0 || pixels.shape.slice(1).join() !== [3, height, width].join()) {
    throw new InputError(
      `${where}: expected pixels of the shape [B, 3, ${height}, ${width}], got [${pixels.shape}]`,
    );
  }
  if (pixels.dtype !== "float32") {
    throw new InputError(`${where}: expected float32 pixels, normalised, got ${pixels.dtype}`);
  }
}

/**
 * @param expected the batch and the tokens, if they are known
 * @throws InputError unless the tower has the block, and the stream has its shape
 */
export function assertStart<Input>(
  { block, stream }: StreamStart,
  { blocks, scope }: Tower<Input>,
  where: string,
  expected: readonly [batch: number, length: number] | null = null,
): void {
  if (!Number.isSafeInteger(block) || block < 0 || block > blocks.length) {
    throw new InputError(
      `${where}: expected a block from 0 to ${blocks.length} of ${scope.path || "the text tower"}, found ${found(block)}`,
    );
  }
  const width = blocks[0]?.width ?? 0;
  const [batch, length] = expected ?? ["B", "L"];
  assertTensor(stream, `a residual stream [${batch}, ${length}, ${width}]`, where);
  const { shape } = stream as Tensor;
  const fits =
    shape.length === 3 && shape[2] === width && (expected?.every((size, i) => shape[i] === size) ?? true);
  if (fits) return;
  throw new InputError(
    `${where}: expected a residual stream of the shape [${batch}, ${length}, ${width}], found [${shape}]`,
  );
}

/** @param width null for any @throws InputError unless they are embeddings [B, width] */
export function assertEmbeddings(
  embeddings: Tensor2D,
  width: number | null,
  what: string,
  where: string,
): void {
  const expected = `[B, ${width ?? "embedDim"}]`;
  assertTensor(embeddings, `${what} ${expected}`, where);
  const { shape, dtype } = embeddings as Tensor;
  if (shape.length !== 2 || (width !== null && shape[1] !== width)) {
    throw new InputError(`${where}: expected ${what} of the shape ${expected}, found [${shape}]`);
  }
  if (dtype !== "float32") throw new InputError(`${where}: expected float32 ${what}, found ${dtype}`);
}

/** @throws InputError unless there are rows, all of them fit into the context, and ids are whole numbers */
export function assertRows(rows: readonly (readonly number[])[], { text }: ClipConfig, where: string): void {
  const given: unknown = rows;
  if (!Array.isArray(given)) {
    throw new InputError(`${where}: expected a list of lists of token ids, found ${found(given)}`);
  }
  if (rows.length === 0) throw new InputError(`${where}: expected at least one text, got none`);
  const { contextLength } = text;
  for (const [r, row] of rows.entries()) {
    if (!Array.isArray(row)) {
      throw new InputError(`${where}: expected row ${r} to be a list of token ids, found ${found(row)}`);
    }
    if (row.length > contextLength) {
      throw new InputError(`${where}: row ${r} has ${row.length} ids, the context holds ${contextLength}`);
    }
    // `| 0`: an Int32Array would turn other numbers into other ids.
    const wrong = row.findIndex((id) => typeof id !== "number" || (id | 0) !== id);
    if (wrong !== -1) {
      throw new InputError(
        `${where}: row ${r} of the token ids holds ${describeId(row[wrong])}, expected whole numbers`,
      );
    }
  }
}

const describeId = (id: unknown): string => (typeof id === "number" ? `${id}` : found(id));

/**
 * Uses a caller's tensor in a pass that may run later. The caller can dispose the tensor as soon as this has returned its
 * promise.
 */
export async function holding<R extends Rank, T>(
  tensor: Tensor<R>,
  use: (tensor: Tensor<R>) => Promise<T>,
): Promise<T> {
  const held = keep(tensor.clone()); // kept, in case the caller is inside `tidy`
  try {
    return await use(held);
  } finally {
    held.dispose();
  }
}
