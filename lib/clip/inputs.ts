/** Checks of what users hand to the network. */
import type { Tensor4D } from "@tensorflow/tfjs-core";
import { InputError } from "../errors/input-error.ts";
import type { ClipConfig } from "./config/clip-config.ts";

/** @throws InputError unless they are what the image tower takes */
export function assertPixels(pixels: Tensor4D, { vision }: ClipConfig, where: string): void {
  const [height, width] = vision.imageSize;
  if (pixels.shape[0] === 0 || pixels.shape.slice(1).join() !== [3, height, width].join()) {
    throw new InputError(
      `${where}: expected pixels of the shape [B, 3, ${height}, ${width}], got [${pixels.shape}]`,
    );
  }
  if (pixels.dtype !== "float32") {
    throw new InputError(`${where}: expected float32 pixels, normalised, got ${pixels.dtype}`);
  }
}

/** @throws InputError unless there are rows, all of them fit into the context, and ids are whole numbers */
export function assertRows(rows: readonly (readonly number[])[], { text }: ClipConfig, where: string): void {
  if (rows.length === 0) throw new InputError(`${where}: expected at least one text, got none`);
  const { contextLength } = text;
  const tooLong = rows.findIndex((row) => row.length > contextLength);
  if (tooLong !== -1) {
    throw new InputError(
      `${where}: row ${tooLong} has ${rows[tooLong]!.length} ids, the context holds ${contextLength}`,
    );
  }
  for (const [r, row] of rows.entries()) {
    const wrong = row.find((id) => (id | 0) !== id); // an Int32Array would turn it into another id
    if (wrong !== undefined) {
      throw new InputError(`${where}: row ${r} of the token ids holds ${wrong}, expected whole numbers`);
    }
  }
}
