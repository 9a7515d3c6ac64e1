/** Compares weights with architectures by the names and shapes of their tensors. */
import { weightDtypes } from "../../tensor/dtype.ts";
import type { TensorInfo } from "../../tensor/store.ts";
import { architectures } from "./architectures/index.ts";
import { declaredTensors, ignoredTensors } from "../network.ts";
import type { ClipConfig } from "./clip-config.ts";
import { parseClipConfig } from "./open-clip.ts";

export interface Fit {
  /** One line for each tensor of the architecture that is missing, or has a wrong shape or dtype. */
  readonly problems: readonly string[];
  /** Tensors that belong to the architecture, in the store's order. */
  readonly wanted: readonly string[];
  /** Tensors in old files that no layer reads. */
  readonly ignored: readonly string[];
  /** All other tensors. */
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
 * Names of the architectures whose tensors are all present with their shapes. Weights do not show whether a model uses
 * QuickGELU, so that `ViT-B-32` and `ViT-B-32-quickgelu` are both listed, in this order.
 */
export async function recognizeArchitecture(tensors: ReadonlyMap<string, TensorInfo>): Promise<string[]> {
  const names: string[] = [];
  for (const [name, modelConfig] of Object.entries(architectures)) {
    const config = await parseClipConfig(modelConfig, name, () => Promise.resolve(null));
    if (fitTensors(config, tensors).problems.length === 0) names.push(name);
  }
  return names;
}
