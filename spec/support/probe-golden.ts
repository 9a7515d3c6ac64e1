/** The goldens of the specs of probes, from tools/golden/probe.py and adapt.py. */
import { FileSource } from "../../lib/node/files/file-source.ts";
import type { LabelledFeatures } from "../../lib/features/features.ts";
import { SafetensorsFile } from "../../lib/tensor/safetensors.ts";
import { readIntegers } from "../../lib/tensor/store.ts";
import { fixture } from "./paths.ts";

export interface ProbeGolden {
  features(name: string): LabelledFeatures;
  /** Any other tensor, in its dtype. */
  values(name: string): Float32Array | Float64Array | number[];
}

export async function readProbeGolden(name: "golden" | "adapt" = "golden"): Promise<ProbeGolden> {
  const file = await SafetensorsFile.open(await FileSource.open(fixture(`probe/${name}.safetensors`)));
  const all = new Map<string, Float32Array | Float64Array | number[]>();
  for (const [name, { dtype }] of file.tensors) {
    const { buffer } = (await file.read(name)).slice();
    if (dtype === "I64") all.set(name, await readIntegers(file, name));
    else all.set(name, dtype === "F64" ? new Float64Array(buffer) : new Float32Array(buffer));
  }
  await file.close();
  const values: ProbeGolden["values"] = (name) => {
    const found = all.get(name);
    if (found === undefined) throw new Error(`the probe golden has no ${name}`);
    return found;
  };
  return {
    values,
    features: (name) => {
      const [rows = 0, width = 0] = file.tensors.get(`${name}.features`)?.shape ?? [];
      const features = values(`${name}.features`) as Float32Array;
      const labels = values(`${name}.labels`) as number[];
      return { name, values: features, rows, width, labels, classNames: null, paths: null, metadata: {} };
    },
  };
}
