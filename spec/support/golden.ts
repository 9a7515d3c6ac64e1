import type { Clip } from "../../lib/clip/clip.ts";
import { FileSource } from "../../lib/node/files/file-source.ts";
import { loadModel } from "../../lib/node/models/load-model.ts";
import { Golden } from "../../lib/parity/golden.ts";
import type { Residency } from "../../lib/tensor/weight.ts";
import { fixture } from "./paths.ts";

/** What tools/golden/tiny.py makes. */
export const tinyModels = ["gelu-mlp", "quickgelu-linear", "no-projection", "plain", "plain-quickgelu"];

/** The bar at every tap, on every backend. */
export const tolerance = 1e-5;

export function tinyGolden(name: string): string {
  return fixture(`tiny/${name}/golden.safetensors`);
}

export async function openGolden(path: string): Promise<Golden> {
  return Golden.open(await FileSource.open(path));
}

export function loadTiny(name: string, residency: Residency = "resident"): Promise<Clip> {
  return loadModel(fixture(`tiny/${name}`), { residency });
}
