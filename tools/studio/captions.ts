/** The demo model's samples with their captions in seven languages, for the studio's tray. */
import { languages, phrase } from "../demo-model/captions.ts";
import { samples } from "../demo-model/samples.ts";
import type { Scene } from "../demo-model/scene.ts";

export interface SampleCaptions {
  /** The file's name in the folder of samples. */
  readonly file: string;
  /** By language code. */
  readonly captions: Readonly<Record<string, string>>;
}

export function sampleCaptions(): SampleCaptions[] {
  return samples.map(({ file, scene }) => ({
    file,
    captions: Object.fromEntries(languages.map((language) => [language, phrase(language, partsOf(scene))])),
  }));
}

/** How many of what; a single shape's place, if it is not the centre. */
function partsOf({ count, colour, shape, position }: Scene): Partial<Scene> {
  return { count, colour, shape, ...(count === 1 && position !== "centre" && { position }) };
}
