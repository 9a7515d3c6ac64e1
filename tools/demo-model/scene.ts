/**
 * The content of a generated image. Captions name these attributes; everything else (exact position, rotation, light,
 * noise) is random. Held-out combinations depend on the order of these lists.
 */
import type { Random } from "./random.ts";

export const shapes = ["circle", "square", "triangle", "star", "cross", "heart", "ring", "crescent"] as const;
export const colours = ["red", "orange", "yellow", "green", "blue", "purple", "pink", "brown"] as const;
export const counts = [1, 2, 3, 4] as const;
export const positions = ["left", "right", "top", "bottom", "centre"] as const;
export const sizes = ["small", "large"] as const;
export const backgrounds = ["white", "black", "grey", "beige", "sky"] as const;
export const patterns = ["plain", "striped", "dotted", "checked"] as const;
/** The arrangement of several shapes. Captions never name it, so that it remains a task the model was not trained for. */
export const arrangements = ["scattered", "row", "column"] as const;
/** The fill of a shape. All training images are solid; the other fills are for tasks the model was not trained for. */
export const fills = ["solid", "striped", "dotted", "outlined"] as const;

export type Shape = (typeof shapes)[number];
export type Colour = (typeof colours)[number];
export type Count = (typeof counts)[number];
export type Position = (typeof positions)[number];
export type Size = (typeof sizes)[number];
export type Background = (typeof backgrounds)[number];
export type Pattern = (typeof patterns)[number];
export type Arrangement = (typeof arrangements)[number];
export type Fill = (typeof fills)[number];

export interface Scene {
  readonly shape: Shape;
  readonly colour: Colour;
  readonly count: Count;
  /** The position of a single shape; "centre" for several shapes, which are spread over the image. */
  readonly position: Position;
  readonly size: Size;
  readonly background: Background;
  readonly pattern: Pattern;
  readonly arrangement: Arrangement;
  readonly fill: Fill;
}

/**
 * `pretrain`: no held-out pair of colour and shape; `train`: no held-out combination; `test`: only held-out
 * combinations.
 */
export const splits = ["pretrain", "train", "test"] as const;
export type Split = (typeof splits)[number];

/**
 * Whether a pair of colour and shape is held out of the first phase of training: eight of the 64 pairs, with each
 * colour and each shape once.
 */
export function isHeldOutPair({ colour, shape }: Pick<Scene, "colour" | "shape">): boolean {
  return (colours.indexOf(colour) + 3 * shapes.indexOf(shape)) % 8 === 0;
}

/**
 * Whether a combination of colour, shape and background is held out of all training: each held-out pair on three of the
 * five backgrounds, which differ from shape to shape.
 */
export function isHeldOut({
  colour,
  shape,
  background,
}: Pick<Scene, "colour" | "shape" | "background">): boolean {
  const turned = (backgrounds.indexOf(background) + shapes.indexOf(shape)) % backgrounds.length;
  return isHeldOutPair({ colour, shape }) && turned >= 2;
}

const belongs: Readonly<Record<Split, (scene: Pick<Scene, "colour" | "shape" | "background">) => boolean>> = {
  pretrain: (scene) => !isHeldOutPair(scene),
  train: (scene) => !isHeldOut(scene),
  test: isHeldOut,
};

/** A random scene of the split. */
export function sampleScene(random: Random, split: Split): Scene {
  let combination: Pick<Scene, "colour" | "shape" | "background">;
  do {
    combination = {
      colour: random.pick(colours),
      shape: random.pick(shapes),
      background: random.pick(backgrounds),
    };
  } while (!belongs[split](combination));
  // Single shapes and plain backgrounds are more frequent than the others.
  const count = random.chance(0.15) ? 1 : random.pick(counts);
  return {
    ...combination,
    count,
    position: count === 1 ? random.pick(positions) : "centre",
    size: random.pick(sizes),
    pattern: random.chance(0.3) ? "plain" : random.pick(patterns),
    arrangement: count === 1 ? "scattered" : random.pick(arrangements),
    fill: "solid",
  };
}
