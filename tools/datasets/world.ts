/** The images and captions of the generated datasets: scenes that were held out of the demo model's training. */
import { captionsOf, imageOf } from "../demo-model/dataset.ts";
import type { Language } from "../demo-model/captions.ts";
import type { Raster } from "../demo-model/generator.ts";
import { Random } from "../demo-model/random.ts";
import {
  colours,
  isHeldOutPair,
  sampleScene,
  shapes,
  type Colour,
  type Scene,
  type Shape,
} from "../demo-model/scene.ts";
import { encodeCmykJpeg } from "./encode/cmyk-jpeg.ts";
import { encodeJpeg, encodeWebp } from "./encode/codecs.ts";
import { encodePng, type PngFormat } from "./encode/png.ts";

/** A pair of colour and shape. */
export interface Pair {
  readonly colour: Colour;
  readonly shape: Shape;
}

/** All pairs, in the order of the labels. */
export const allPairs: readonly Pair[] = colours.flatMap((colour) =>
  shapes.map((shape) => ({ colour, shape })),
);

/** The pairs of the images: each colour and each shape once. */
export const heldOutPairs: readonly Pair[] = allPairs.filter(isHeldOutPair);

/** Width and height of the images: some as the model sees them, others larger and not square. */
const sizes = [
  [112, 84],
  [84, 112],
  [84, 84],
  [150, 100],
] as const;

/** Captions of an image, in each language. */
const captionsPerImage = 5;

/** The encodings of an image: extensions, and what is unusual about them. */
export type Encoding = "webp" | "jpg" | "cmyk-jpg" | `${PngFormat}-png`;

export class World {
  readonly seed: number;
  /** Images of a dataset. */
  readonly count: number;
  readonly #encoded = new Map<string, Promise<Uint8Array>>();

  constructor(seed: number, count: number) {
    this.seed = seed;
    this.count = count;
  }

  /** Image numbers 0, 1, 2, … */
  get indices(): number[] {
    return Array.from({ length: this.count }, (_, i) => i);
  }

  /** The scene of an image. Its pair is number `index` modulo 8 of the held-out pairs. */
  scene(index: number): Scene {
    const wanted = heldOutPairs[index % heldOutPairs.length]!;
    for (let attempt = 0; ; attempt++) {
      const scene = sampleScene(new Random(this.seed, index, attempt), "test");
      if (scene.colour === wanted.colour && scene.shape === wanted.shape) return scene;
    }
  }

  captions(index: number): Record<Language, string[]> {
    return captionsOf(this.scene(index), this.seed, index, captionsPerImage);
  }

  /** An image as the bytes of a file. */
  image(index: number, encoding: Encoding): Promise<Uint8Array> {
    const key = `${index} ${encoding}`;
    const encoded = this.#encoded.get(key) ?? this.imageOf(this.scene(index), index, encoding);
    this.#encoded.set(key, encoded);
    return encoded;
  }

  /** An image of another scene. @param key different for each image; its size depends on it */
  async imageOf(scene: Scene, key: number, encoding: Encoding): Promise<Uint8Array> {
    const [width, height] = sizes[key % sizes.length]!;
    return encode(imageOf(scene, this.seed, key, width, height), encoding);
  }
}

async function encode(raster: Raster, encoding: Encoding): Promise<Uint8Array> {
  switch (encoding) {
    case "webp":
      return encodeWebp(raster);
    case "jpg":
      return encodeJpeg(raster);
    case "cmyk-jpg":
      return encodeCmykJpeg(raster);
    default:
      return encodePng(raster, encoding.slice(0, -"-png".length) as PngFormat);
  }
}
