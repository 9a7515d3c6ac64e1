/** The pictures that come along with the demo model: pairs of colour and shape that it never saw in training. */
import type { Scene } from "./scene.ts";

export interface Sample {
  readonly file: `${string}.png` | `${string}.jpg`;
  readonly width: number;
  readonly height: number;
  readonly seed: number;
  readonly scene: Scene;
}

const COMMON = { size: "large", position: "centre", arrangement: "scattered", fill: "solid" } as const;

export const SAMPLES: readonly Sample[] = [
  {
    file: "three-green-stars.png",
    width: 320,
    height: 240,
    seed: 4,
    scene: { ...COMMON, shape: "star", colour: "green", count: 3, background: "white", pattern: "plain" },
  },
  {
    file: "purple-heart.jpg",
    width: 640,
    height: 480,
    seed: 1,
    scene: { ...COMMON, shape: "heart", colour: "purple", count: 1, background: "beige", pattern: "dotted" },
  },
  {
    file: "two-red-circles.png",
    width: 320,
    height: 240,
    seed: 1,
    scene: { ...COMMON, shape: "circle", colour: "red", count: 2, background: "grey", pattern: "checked" },
  },
  {
    file: "yellow-ring-on-the-left.png",
    width: 320,
    height: 240,
    seed: 1,
    scene: {
      ...COMMON,
      shape: "ring",
      colour: "yellow",
      count: 1,
      position: "left",
      background: "black",
      pattern: "plain",
    },
  },
  {
    file: "four-orange-squares.jpg",
    width: 640,
    height: 480,
    seed: 3,
    scene: { ...COMMON, shape: "square", colour: "orange", count: 4, background: "sky", pattern: "striped" },
  },
  {
    file: "blue-cross-at-the-top.jpg",
    width: 480,
    height: 640,
    seed: 1,
    scene: {
      ...COMMON,
      shape: "cross",
      colour: "blue",
      count: 1,
      position: "top",
      background: "beige",
      pattern: "plain",
    },
  },
  {
    file: "small-pink-triangle.png",
    width: 240,
    height: 240,
    seed: 1,
    scene: {
      ...COMMON,
      shape: "triangle",
      colour: "pink",
      count: 1,
      size: "small",
      position: "right",
      background: "black",
      pattern: "checked",
    },
  },
  {
    file: "four-brown-crescents.jpg",
    width: 640,
    height: 480,
    seed: 2,
    scene: {
      ...COMMON,
      shape: "crescent",
      colour: "brown",
      count: 4,
      size: "small",
      arrangement: "row",
      background: "sky",
      pattern: "plain",
    },
  },
];
