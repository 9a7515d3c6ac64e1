import type { Clip } from "../../lib/clip/clip.ts";
import { FileSource } from "../../lib/node/files/file-source.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import { Golden } from "../../lib/parity/golden.ts";
import type { Residency } from "../../lib/tensor/weight.ts";
import { fixture } from "./paths.ts";

/** The models that tools/golden/tiny.py makes, in fixtures/tiny. */
export const tinyModels = [
  "gelu-mlp",
  "quickgelu-linear",
  "no-projection",
  "plain",
  "plain-quickgelu",
  "bert-first-token",
  "bert-pooler",
  "bert-vit",
];

/** The largest relative L2 that passes at a tap, on every backend. */
export const tolerance = 1e-5;

/** PyTorch modules that return their input in evaluation: they have a tap in goldens and none in this code. */
export const identityTaps = /(\.dropout|\.ls_1|\.ls_2|\.patch_dropout)$/;

export function tinyGolden(name: string): string {
  return fixture(`tiny/${name}/golden.safetensors`);
}

export async function openGolden(path: string): Promise<Golden> {
  return Golden.open(await FileSource.open(path));
}

export function loadTiny(name: string, residency: Residency = "resident"): Promise<Clip> {
  return loadModel(fixture(`tiny/${name}`), { residency });
}
