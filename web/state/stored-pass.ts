/** The first pass, stored with the page: what is shown until the network is loaded. */
import type { ImagePass, JointPass, ModelInfo, TextPass } from "../../lib/studio/results.ts";

/** As written by tools/studio/first-pass.ts. */
export interface StoredPass {
  readonly model: ModelInfo;
  readonly imageKey: string;
  readonly text: string;
  readonly image: Omit<ImagePass, "input"> & {
    readonly input: { readonly width: number; readonly height: number; readonly rgb: string };
  };
  readonly textPass: TextPass;
  readonly joint: JointPass;
}

export interface FirstPass {
  readonly model: ModelInfo;
  readonly imageKey: string;
  readonly text: string;
  readonly image: ImagePass;
  readonly textPass: TextPass;
  readonly joint: JointPass;
}

export function decodeFirstPass(stored: StoredPass): FirstPass {
  const { input } = stored.image;
  const rgb = Uint8ClampedArray.from(atob(input.rgb), (character) => character.charCodeAt(0));
  return { ...stored, image: { ...stored.image, input: { ...input, rgb } } };
}
