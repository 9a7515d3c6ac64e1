/**
 * What a generated picture shows. Captions name these attributes; everything else (exact place, rotation, light,
 * noise) is left to chance. All lists are in a fixed order: held-out combinations depend on it.
 */
import type { Random } from "./random.ts";

export const SHAPES = ["circle", "square", "triangle", "star", "cross", "heart", "ring", "crescent"] as const;
export const COLOURS = ["red", "orange", "yellow", "green", "blue", "purple", "pink", "brown"] as const;
export const COUNTS = [1, 2, 3, 4] as const;
export const POSITIONS = ["left", "right", "top", "bottom", "centre"] as const;
export const SIZES = ["small", "large"] as const;
export const BACKGROUNDS = ["white", "black", "grey", "beige", "sky"] as const;
export const PATTERNS = ["plain", "striped", "dotted", "checked"] as const;
/** How several shapes stand: never in a caption, so that it stays a task the model was not trained for. */
export const ARRANGEMENTS = ["scattered", "row", "column"] as const;
/** How a shape is painted: the training pictures are all solid; the others are for tasks of other programs. */
export const FILLS = ["solid", "striped", "dotted", "outlined"] as const;

export type Shape = (typeof SHAPES)[number];
export type Colour = (typeof COLOURS)[number];
export type Count = (typeof COUNTS)[number];
export type Position = (typeof POSITIONS)[number];
export type Size = (typeof SIZES)[number];
export type Background = (typeof BACKGROUNDS)[number];
export type Pattern = (typeof PATTERNS)[number];
export type Arrangement = (typeof ARRANGEMENTS)[number];
export type Fill = (typeof FILLS)[number];

export interface Scene {
  readonly shape: Shape;
  readonly colour: Colour;
  readonly count: Count;
  /** Where a single shape stands; several shapes spread over the picture ("centre"). */
  readonly position: Position;
  readonly size: Size;
  readonly background: Background;
  readonly pattern: Pattern;
  readonly arrangement: Arrangement;
  readonly fill: Fill;
}

/**
 * `pretrain`: no held-out pair of colour and shape; `train`: no held-out combination; `test`: held-out combinations
 * alone.
 */
export const SPLITS = ["pretrain", "train", "test"] as const;
export type Split = (typeof SPLITS)[number];

/**
 * Whether a pair of colour and shape is kept out of the first part of training: eight of the 64, one of each colour and
 * of each shape.
 */
export function isHeldOutPair({ colour, shape }: Pick<Scene, "colour" | "shape">): boolean {
  return (COLOURS.indexOf(colour) + 3 * SHAPES.indexOf(shape)) % 8 === 0;
}

/**
 * Whether a combination of colour, shape and background is kept out of training altogether, in every language: each
 * held-out pair on three of the five backgrounds, another three for the next shape.
 */
export function isHeldOut({
  colour,
  shape,
  background,
}: Pick<Scene, "colour" | "shape" | "background">): boolean {
  const turned = (BACKGROUNDS.indexOf(background) + SHAPES.indexOf(shape)) % BACKGROUNDS.length;
  return isHeldOutPair({ colour, shape }) && turned >= 2;
}

const belongs: Readonly<Record<Split, (scene: Pick<Scene, "colour" | "shape" | "background">) => boolean>> = {
  pretrain: (scene) => !isHeldOutPair(scene),
  train: (scene) => !isHeldOut(scene),
  test: isHeldOut,
};

/** A scene of the split. */
export function sampleScene(random: Random, split: Split): Scene {
  let combination: Pick<Scene, "colour" | "shape" | "background">;
  do {
    combination = {
      colour: random.pick(COLOURS),
      shape: random.pick(SHAPES),
      background: random.pick(BACKGROUNDS),
    };
  } while (!belongs[split](combination));
  // One shape alone, and a plain background, more often than the rest.
  const count = random.chance(0.15) ? 1 : random.pick(COUNTS);
  return {
    ...combination,
    count,
    position: count === 1 ? random.pick(POSITIONS) : "centre",
    size: random.pick(SIZES),
    pattern: random.chance(0.3) ? "plain" : random.pick(PATTERNS),
    arrangement: count === 1 ? "scattered" : random.pick(ARRANGEMENTS),
    fill: "solid",
  };
}
