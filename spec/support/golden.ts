import type { Tensor } from "@tensorflow/tfjs-core";
import { SafetensorsFile, compare, readFloat32, readIntegers, unravel } from "../../lib/tensor/index.ts";
import type { Clip } from "../../lib/clip/clip.ts";
import { FileSource } from "../../lib/node/file-source.ts";
import { loadModel } from "../../lib/node/load-model.ts";
import type { Residency } from "../../lib/tensor/weights.ts";
import { fixture } from "./paths.ts";

/** What tools/golden/tiny.py makes. */
export const tinyModels = ["gelu-mlp", "quickgelu-linear", "no-projection", "plain", "plain-quickgelu"];

/** The bar at every tap, on every backend but cpu. */
export const tolerance = 1e-5;

/** Values of one tap, in PyTorch's layout. */
export interface Values {
  readonly values: Float32Array;
  readonly shape: readonly number[];
}

/** A golden file, read whole. */
export interface Golden {
  readonly image: Values;
  /** Padded ids. */
  readonly text: number[][];
  /** Which of them are tokens, not padding: behind those a text tower's activations mean nothing. */
  readonly isToken: readonly (readonly boolean[])[];
  readonly taps: ReadonlyMap<string, Values>;
}

export async function readGolden(path: string): Promise<Golden> {
  const file = await SafetensorsFile.open(await FileSource.open(path));
  const taps = new Map<string, Values>();
  for (const [name, { shape, dtype }] of file.tensors) {
    if (dtype === "F32") taps.set(name, { values: await readFloat32(file, name), shape });
  }
  const ids = await readIntegers(file, "input.text");
  const length = file.tensors.get("input.text")?.shape[1] ?? 0;
  const text = Array.from({ length: ids.length / length }, (_, i) => ids.slice(i * length, (i + 1) * length));
  const image = taps.get("input.image");
  if (!image) throw new Error(`${path} has no input.image`);
  taps.delete("input.image");
  await file.close();
  const isPlain = taps.has("ln_final") || taps.has("text.ln_final");
  // XLM-R pads with id 1, CLIP's own text tower with whatever comes behind the end of text, its largest id.
  const isToken = text.map((row) => {
    const end = row.indexOf(Math.max(...row));
    return row.map((id, i) => (isPlain ? i <= end : id !== 1));
  });
  return { image, text, isToken, taps };
}

export async function loadTiny(name: string, residency: Residency = "resident"): Promise<Clip> {
  const directory = fixture(`tiny/${name}`);
  return loadModel(directory, { weights: residency });
}

/**
 * Fails with everything that one wants to know where ours is off: tap, relative L2, max abs, worst index.
 *
 * Rows of text taps ([B, L, …]) are compared at real tokens alone, and as far as our trimmed run goes.
 */
export function assertClose(name: string, ours: Values, golden: Values, isToken: Golden["isToken"]): void {
  const [a, b] = isPerToken(name, golden, isToken)
    ? [tokensOnly(ours, isToken), tokensOnly(golden, isToken)]
    : [ours, golden];
  if (a.shape.join() !== b.shape.join()) {
    throw new Error(`${name}: shape [${a.shape.join(", ")}], golden [${b.shape.join(", ")}]`);
  }
  const { relativeL2, maxAbs, worstIndex } = compare(a.values, b.values);
  if (!(relativeL2 <= tolerance)) {
    throw new Error(
      `${name}: relative L2 ${relativeL2.toExponential(2)} > ${tolerance}, max abs ${maxAbs.toExponential(2)} at ` +
        `[${unravel(worstIndex, a.shape).join(", ")}]: ours ${a.values[worstIndex]}, golden ${b.values[worstIndex]}`,
    );
  }
}

function isPerToken(name: string, { shape }: Values, isToken: Golden["isToken"]): boolean {
  const isText = !name.startsWith("visual");
  return isText && shape.length === 3 && shape[0] === isToken.length && shape[1] === isToken[0]?.length;
}

/** The vectors at real tokens, one after another. */
function tokensOnly({ values, shape }: Values, isToken: Golden["isToken"]): Values {
  const [, length = 0, width = 0] = shape;
  const kept = isToken.flatMap((row, r) =>
    row.flatMap((real, i) =>
      real ? [values.subarray((r * length + i) * width, (r * length + i + 1) * width)] : [],
    ),
  );
  const flat = new Float32Array(kept.length * width);
  for (const [i, vector] of kept.entries()) flat.set(vector, i * width);
  return { values: flat, shape: [kept.length, width] };
}

export function valuesOf(tensor: Tensor): Values {
  return { values: Float32Array.from(tensor.dataSync()), shape: [...tensor.shape] };
}
