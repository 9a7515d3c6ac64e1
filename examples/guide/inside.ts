/** What the programs in this folder share: the demo model's taps and weights as plain arrays of numbers. */
import { demoModel, loadModel, readImages, withTaps, type Clip } from "../../lib/index.ts";
import { readFloat32, readTap } from "../../lib/tensor/index.ts";

/** The image and the sentence of docs/guide. */
export const image = `${demoModel}/samples/three-brown-stars.png`;
export const sentence = "three brown stars";

export interface Inside {
  readonly model: Clip;
  /** A tap's values as a list of rows: all axes but the last are flattened into one. */
  readonly rows: (tap: string) => number[][];
  readonly shape: (tap: string) => readonly number[];
  /** A tensor of the state dict as a list of rows; a vector is one row. */
  readonly weight: (name: string) => Promise<number[][]>;
}

/** Runs both towers of the demo model on the image and the sentence, and keeps the value of every tap. */
export async function lookInside(): Promise<Inside> {
  const model = await loadModel(demoModel, { residency: "resident" });
  const taps = new Map<string, { readonly shape: readonly number[]; readonly values: Float32Array }>();
  const pixels = await readImages([image], model.preprocess);
  await withTaps(
    async (name, value) => taps.set(name, { shape: value.shape, values: await readTap(value) }),
    async () => {
      (await model.encodeImage(pixels, { normalize: true })).dispose();
      (await model.encodeText([sentence], { normalize: true })).dispose();
    },
  );
  pixels.dispose();
  const seen = (tap: string): { shape: readonly number[]; values: Float32Array } => {
    const found = taps.get(tap);
    if (found === undefined) throw new Error(`no tap is named ${tap}`);
    return found;
  };
  return {
    model,
    shape: (tap) => seen(tap).shape,
    rows: (tap) => intoRows(seen(tap).values, seen(tap).shape.at(-1)!),
    weight: async (name) => {
      const { store } = model.weights;
      return intoRows(await readFloat32(store, name), store.tensors.get(name)!.shape.at(-1)!);
    },
  };
}

function intoRows(values: Float32Array, width: number): number[][] {
  return Array.from({ length: values.length / width }, (_, row) =>
    Array.from(values.subarray(row * width, (row + 1) * width)),
  );
}

/** Prints a table: the first column to the left, numbers with four decimals to the right. */
export function printTable(rows: readonly (readonly (string | number)[])[]): void {
  const cells = rows.map((row) => row.map((cell) => (typeof cell === "number" ? cell.toFixed(4) : cell)));
  const widths = cells[0]!.map((_, column) => Math.max(...cells.map((row) => row[column]?.length ?? 0)));
  for (const row of cells) {
    console.log(
      row
        .map((cell, column) => (column === 0 ? cell.padEnd(widths[0]!) : cell.padStart(widths[column]!)))
        .join("  ")
        .trimEnd(),
    );
  }
}
