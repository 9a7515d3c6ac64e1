/**
 * Which weights a run trains. Locked towers keep their weights; the logit scale is always trained.
 *
 * Source: open_clip/transformer.py (VisionTransformer.lock, lock_text_tower), open_clip/hf_model.py (HFTextEncoder.lock).
 * Paper: Zhai et al., "LiT: Zero-Shot Transfer with Locked-image text Tuning", 2022 (arXiv 2111.07991).
 */
import type { Clip } from "../clip/clip.ts";
import { InputError } from "../errors/input-error.ts";
import type { RowTable } from "../tensor/row-table.ts";
import type { Weight } from "../tensor/weight.ts";

/** open_clip's options of the same names. */
export interface Locks {
  /** Keep the image tower's weights, but for its last groups. Default: train them. */
  readonly image?: { readonly unlockedGroups: number };
  /** Keep the text tower's weights, but for its last groups, and for its LayerNorms unless they are frozen. */
  readonly text?: { readonly unlockedLayers: number; readonly freezeLayerNorm: boolean };
}

/**
 * The weights that a run trains.
 *
 * @throws InputError for unfrozen LayerNorms in CLIP's own text tower, which open_clip does not support
 */
export function trainableWeights({ weights, visual, text }: Clip, locks: Locks): Set<Weight | RowTable> {
  const isNorm = ({ name }: Weight | RowTable): boolean => name.split(".").includes("LayerNorm");
  const ofImage = locks.image ? visual.locked(locks.image.unlockedGroups) : [];
  const ofText = locks.text ? text.locked(locks.text.unlockedLayers) : [];
  const keepsNorms = locks.text?.freezeLayerNorm === false;
  if (keepsNorms && !weights.handles.some(isNorm)) {
    throw new InputError(
      "--lock-text: CLIP's own text tower is locked with its LayerNorms; add --lock-text-freeze-layer-norm",
    );
  }
  const locked = new Set([...ofImage, ...ofText.filter((handle) => !(keepsNorms && isNorm(handle)))]);
  return new Set(weights.handles.filter((handle) => !locked.has(handle)));
}
