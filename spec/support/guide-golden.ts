/** One step of image generation, from tools/golden/guide.py. */
import { FileSource } from "../../lib/node/files/file-source.ts";
import { SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import { readFloat32 } from "../../lib/tensor/store.ts";
import { fixture } from "./paths.ts";

export const guideCanvas = { height: 44, width: 44 };

/** Whole, and a smaller square. */
export const guideCutouts = [
  { centreX: 22, centreY: 22, side: 44, angle: 0 },
  { centreX: 26, centreY: 19, side: 20, angle: 0 },
];

const names = [
  "coefficients",
  "image",
  "pixels",
  "targets",
  "weights",
  "loss",
  "smoothness",
  "gradient",
] as const;

export type GuideGolden = Readonly<Record<(typeof names)[number], Float32Array>>;

export async function readGuideGolden(): Promise<GuideGolden> {
  const file = await SafetensorsFile.open(await FileSource.open(fixture("guide/golden.safetensors")));
  const entries = await Promise.all(
    names.map(async (name) => [name, await readFloat32(file, name)] as const),
  );
  await file.close();
  return Object.fromEntries(entries) as Record<(typeof names)[number], Float32Array>;
}
