/** Whether weights belong to an architecture, and which architecture weights belong to: told by names and shapes. */
import { weightDtypes } from "../../tensor/dtype.ts";
import type { TensorInfo } from "../../tensor/safetensors.ts";
import { architectures } from "./architectures/index.ts";
import { declaredTensors, ignoredTensors } from "../network.ts";
import type { ClipConfig } from "./clip-config.ts";
import { parseClipConfig } from "./open-clip.ts";

export interface Fit {
  /** Tensors of the architecture that are missing, misshapen or of the wrong dtype: a line for each. */
  readonly problems: readonly string[];
  /** Tensors that the architecture wants, in the order in which the store has them. */
  readonly wanted: readonly string[];
  /** Tensors that old files carry and no layer reads. */
  readonly ignored: readonly string[];
  /** Any others. */
  readonly unexpected: readonly string[];
}

/** Compares a store's tensors with those that an architecture declares. */
export function fitTensors(config: ClipConfig, tensors: ReadonlyMap<string, TensorInfo>): Fit {
  const declared = declaredTensors(config);
  const problems: string[] = [];
  for (const [name, shape] of declared) {
    const info = tensors.get(name);
    if (!info) problems.push(`missing     ${name} [${shape.join(", ")}]`);
    else if (info.shape.join() !== shape.join()) {
      problems.push(`wrong shape ${name}: expected [${shape.join(", ")}], found [${info.shape.join(", ")}]`);
    } else if (!weightDtypes.includes(info.dtype)) {
      problems.push(`wrong dtype ${name}: expected ${weightDtypes.join(", ")}, found ${info.dtype}`);
    }
  }
  const names = [...tensors.keys()];
  const others = names.filter((name) => !declared.has(name));
  return {
    problems,
    wanted: names.filter((name) => declared.has(name)),
    ignored: others.filter((name) => ignoredTensors.includes(name)),
    unexpected: others.filter((name) => !ignoredTensors.includes(name)),
  };
}

/**
 * Names of the architectures whose tensors are all there, in their shapes. QuickGELU leaves no trace in weights: such an
 * architecture comes behind its plain kin.
 */
export async function recognizeArchitecture(tensors: ReadonlyMap<string, TensorInfo>): Promise<string[]> {
  const names: string[] = [];
  for (const [name, modelConfig] of Object.entries(architectures)) {
    const config = await parseClipConfig(modelConfig, name, () => Promise.resolve(null));
    if (fitTensors(config, tensors).problems.length === 0) names.push(name);
  }
  return names;
}
