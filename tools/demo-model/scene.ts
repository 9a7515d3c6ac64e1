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

export type Split = "train" | "test";

/**
 * Whether a colour and shape are kept out of training, in every language: eight of the 64 pairs, one of each colour
 * and of each shape, so that every word is learnt, but never together with that other word.
 */
export function isHeldOut(colour: Colour, shape: Shape): boolean {
  return (COLOURS.indexOf(colour) + 3 * SHAPES.indexOf(shape)) % 8 === 0;
}

/** A scene of the split: "test" has only the held-out pairs of colour and shape, "train" none of them. */
export function sampleScene(random: Random, split: Split): Scene {
  let colour: Colour;
  let shape: Shape;
  do {
    colour = random.pick(COLOURS);
    shape = random.pick(SHAPES);
  } while (isHeldOut(colour, shape) !== (split === "test"));
  // One shape alone, and a plain background, more often than the rest.
  const count = random.chance(0.15) ? 1 : random.pick(COUNTS);
  return {
    shape,
    colour,
    count,
    position: count === 1 ? random.pick(POSITIONS) : "centre",
    size: random.pick(SIZES),
    background: random.pick(BACKGROUNDS),
    pattern: random.chance(0.3) ? "plain" : random.pick(PATTERNS),
    arrangement: count === 1 ? "scattered" : random.pick(ARRANGEMENTS),
    fill: "solid",
  };
}
