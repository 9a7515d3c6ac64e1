/** The sample images of the demo model. They show combinations that were held out of training. */
import type { Scene } from "./scene.ts";

export interface Sample {
  readonly file: `${string}.png` | `${string}.jpg`;
  readonly width: number;
  readonly height: number;
  readonly seed: number;
  readonly scene: Scene;
}

const common = { size: "large", position: "centre", arrangement: "scattered", fill: "solid" } as const;

export const samples: readonly Sample[] = [
  {
    file: "three-brown-stars.png",
    width: 320,
    height: 240,
    seed: 12,
    scene: { ...common, shape: "star", colour: "brown", count: 3, background: "white", pattern: "plain" },
  },
  {
    file: "orange-heart.jpg",
    width: 640,
    height: 480,
    seed: 1,
    scene: { ...common, shape: "heart", colour: "orange", count: 1, background: "sky", pattern: "dotted" },
  },
  {
    file: "two-red-circles.png",
    width: 320,
    height: 240,
    seed: 1,
    scene: { ...common, shape: "circle", colour: "red", count: 2, background: "grey", pattern: "checked" },
  },
  {
    file: "pink-ring-on-the-left.png",
    width: 320,
    height: 240,
    seed: 1,
    scene: {
      ...common,
      shape: "ring",
      colour: "pink",
      count: 1,
      position: "left",
      background: "black",
      pattern: "plain",
    },
  },
  {
    file: "four-purple-squares.jpg",
    width: 640,
    height: 480,
    seed: 3,
    scene: {
      ...common,
      shape: "square",
      colour: "purple",
      count: 4,
      background: "beige",
      pattern: "striped",
    },
  },
  {
    file: "blue-cross-at-the-top.jpg",
    width: 480,
    height: 640,
    seed: 1,
    scene: {
      ...common,
      shape: "cross",
      colour: "blue",
      count: 1,
      position: "top",
      background: "beige",
      pattern: "plain",
    },
  },
  {
    file: "small-yellow-triangle.png",
    width: 240,
    height: 240,
    seed: 1,
    scene: {
      ...common,
      shape: "triangle",
      colour: "yellow",
      count: 1,
      size: "small",
      position: "right",
      background: "black",
      pattern: "checked",
    },
  },
  {
    file: "four-green-crescents.jpg",
    width: 640,
    height: 480,
    seed: 2,
    scene: {
      ...common,
      shape: "crescent",
      colour: "green",
      count: 4,
      size: "small",
      arrangement: "row",
      background: "white",
      pattern: "plain",
    },
  },
];
