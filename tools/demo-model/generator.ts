/**
 * Draws a scene at any size, with the same pixels on every machine. The shapes are inside the largest centred square,
 * which a centre crop keeps, in coordinates from −1 to 1; the background fills the rest.
 */
import { Random } from "./random.ts";
import type { Arrangement, Background, Colour, Fill, Pattern, Scene, Shape } from "./scene.ts";
import { distanceTo } from "./shapes.ts";

/** 8 bits per channel: red, green, blue, alpha (always 255); rows from the top. */
export interface Raster {
  readonly width: number;
  readonly height: number;
  readonly data: Uint8ClampedArray;
}

type Rgb = readonly [red: number, green: number, blue: number];

/** One shape of the image. */
interface Item {
  readonly x: number;
  readonly y: number;
  readonly radius: number;
  readonly rotation: number;
}

const colourRgb: Readonly<Record<Colour, Rgb>> = {
  red: [214, 36, 42],
  orange: [250, 132, 16],
  yellow: [250, 214, 24],
  green: [36, 150, 62],
  blue: [32, 76, 206],
  purple: [132, 52, 178],
  pink: [252, 124, 180],
  brown: [134, 82, 40],
};

const backgroundRgb: Readonly<Record<Background, Rgb>> = {
  white: [248, 248, 246],
  black: [24, 24, 28],
  grey: [146, 148, 152],
  beige: [230, 212, 178],
  sky: [150, 206, 240],
};

/** Radius by count, so that four large shapes still fit. */
const radii = { large: [0.52, 0.42, 0.37, 0.35], small: [0.32, 0.27, 0.25, 0.24] } as const;

/** The largest rotation, in radians, at which a shape keeps its name: a square on its corner would be a diamond. */
const largestTurn: Readonly<Record<Shape, number>> = {
  circle: Math.PI,
  ring: Math.PI,
  square: 0.2,
  cross: 0.2,
  triangle: 0.25,
  star: 0.35,
  heart: 0.3,
  crescent: 0.5,
};

/** Draws a scene. `key`, such as a seed and an index, determines everything that the scene does not. */
export function renderScene(scene: Scene, width: number, height: number, ...key: readonly number[]): Raster {
  const random = new Random(...key);
  const canvas = new Canvas(width, height);
  const items = layOut(scene, random);
  paintBackground(canvas, scene, random);
  const light = random.between(0.92, 1.06);
  const softness = random.between(0.9, 1.7);
  const tint = jitter(colourRgb[scene.colour], 14, random);
  const shadow = random.between(0.1, 0.3);
  for (const item of items) paintShadow(canvas, scene.shape, item, shadow);
  for (const item of items) paintItem(canvas, scene.shape, scene.fill, item, tint, softness);
  return canvas.finish(light, random.between(0, 7), random);
}

/** Places the shapes of a scene so that they do not touch. */
function layOut(scene: Scene, random: Random): Item[] {
  const base = radii[scene.size][scene.count - 1] ?? radii.small[3];
  const radius = base * random.between(0.94, 1.06);
  const turn = (): number => random.between(-1, 1) * largestTurn[scene.shape];
  const common = turn();
  return places(scene, radius, random).map(([x, y]) => ({
    x,
    y,
    radius: scene.count === 1 ? radius : radius * random.between(0.94, 1.02),
    rotation: 0.7 * common + 0.3 * turn(),
  }));
}

function places(scene: Scene, radius: number, random: Random): [number, number][] {
  if (scene.count === 1) {
    const away = scene.size === "large" ? 0.42 : random.between(0.48, 0.6);
    const near = random.between(-0.1, 0.1);
    const along = scene.size === "large" ? near : random.between(-0.3, 0.3);
    switch (scene.position) {
      case "left":
        return [[-away, along]];
      case "right":
        return [[away, along]];
      case "top":
        return [[along, -away]];
      case "bottom":
        return [[along, away]];
      case "centre":
        return [[near, random.between(-0.1, 0.1)]];
    }
  }
  return spread(scene.arrangement, scene.count, radius, random);
}

/** Positions of several shapes: in a row or a column (zigzag if they would not fit otherwise), or scattered. */
function spread(arrangement: Arrangement, count: number, radius: number, random: Random): [number, number][] {
  if (arrangement === "scattered") return scatter(count, radius, random);
  const step = 1.9 / count;
  // Neighbours that would be closer than two radii move aside, alternating between the sides.
  const wanted = 2.1 * radius;
  const aside = step < wanted ? Math.sqrt(wanted * wanted - step * step) / 2 : 0;
  const shift = random.between(-1, 1) * Math.max(0, 0.9 - radius - aside) * 0.5;
  return Array.from({ length: count }, (_, index) => {
    const along = step * (index - (count - 1) / 2) + random.between(-0.02, 0.02);
    const across = shift + (index % 2 === 0 ? aside : -aside) + random.between(-0.02, 0.02);
    return arrangement === "row" ? [along, across] : [across, along];
  });
}

/** Random positions. Starts over if no room is found after many attempts. */
function scatter(count: number, radius: number, random: Random): [number, number][] {
  const limit = 0.97 - radius;
  for (;;) {
    const found: [number, number][] = [];
    for (let attempt = 0; attempt < 40 && found.length < count; attempt++) {
      const x = random.between(-limit, limit);
      const y = random.between(-limit, limit);
      const apart = 2.08 * radius;
      if (found.every(([otherX, otherY]) => (x - otherX) ** 2 + (y - otherY) ** 2 > apart * apart))
        found.push([x, y]);
    }
    if (found.length === count) return found;
  }
}

function paintBackground(canvas: Canvas, scene: Scene, random: Random): void {
  const base = jitter(backgroundRgb[scene.background], 8, random);
  // The second tone of the pattern: darker than the background, or lighter on black.
  const second: Rgb =
    scene.background === "black"
      ? [base[0] + 46, base[1] + 46, base[2] + 50]
      : [base[0] * 0.8, base[1] * 0.8, base[2] * 0.81];
  const motif = patternAt(scene.pattern, random);
  const slopeX = random.between(-0.05, 0.05);
  const slopeY = random.between(-0.07, 0.01);
  const { pixel } = canvas;
  canvas.eachPixel((x, y, at, rgb) => {
    const share = scene.pattern === "plain" ? 0 : clamp01(0.5 - motif(x, y) / pixel);
    const shade = 1 + slopeX * x + slopeY * y;
    for (let channel = 0; channel < 3; channel++) {
      const tone = (base[channel] ?? 0) * (1 - share) + (second[channel] ?? 0) * share;
      rgb[at + channel] = tone * shade;
    }
  });
}

/** Signed distance to the second tone of a pattern: negative where it is painted. */
function patternAt(pattern: Pattern, random: Random): (x: number, y: number) => number {
  const period = random.between(0.26, 0.38);
  const phaseX = random.between(0, period);
  const phaseY = random.between(0, period);
  const turned = random.between(-0.12, 0.12) + (random.chance(0.5) ? Math.PI / 4 : 0);
  const angle = pattern === "striped" ? turned + (random.chance(0.5) ? Math.PI / 2 : 0) : 0;
  const cos = Math.cos(angle);
  const sin = Math.sin(angle);
  const stripe = (t: number): number => Math.abs(wrap(t, period)) - period / 4;
  switch (pattern) {
    case "plain":
      return () => 1;
    case "striped":
      return (x, y) => stripe(x * cos + y * sin + phaseX);
    case "dotted":
      return (x, y) => {
        const dotX = wrap(x + phaseX, period);
        const dotY = wrap(y + phaseY, period);
        return Math.sqrt(dotX * dotX + dotY * dotY) - 0.27 * period;
      };
    case "checked":
      return (x, y) => {
        const column = stripe(x + phaseX);
        const row = stripe(y + phaseY);
        return Math.max(Math.min(column, -row), Math.min(-column, row));
      };
  }
}

/** A soft shadow, down and to the right. */
function paintShadow(canvas: Canvas, shape: Shape, item: Item, strength: number): void {
  const blur = 0.05 + canvas.pixel;
  const fallen = { ...item, x: item.x + 0.025, y: item.y + 0.04 };
  canvas.eachPixelOf(fallen, blur, (localX, localY, at, rgb) => {
    const share = strength * clamp01(0.5 - (distanceTo(shape, localX, localY) * item.radius) / (2 * blur));
    for (let channel = 0; channel < 3; channel++) rgb[at + channel] = (rgb[at + channel] ?? 0) * (1 - share);
  });
}

function paintItem(canvas: Canvas, shape: Shape, fill: Fill, item: Item, tint: Rgb, softness: number): void {
  const edge = canvas.pixel * softness;
  canvas.eachPixelOf(item, edge, (localX, localY, at, rgb) => {
    const distance = distanceTo(shape, localX, localY) * item.radius;
    const cover = clamp01(0.5 - distance / edge);
    if (cover === 0) return;
    const paint = cover * fillAt(fill, localX, localY, distance / item.radius, edge / item.radius);
    // Lighter towards the top and darker at the rim, so that shapes look less flat.
    const shade = 1 - 0.1 * localY - 0.12 * clamp01(1 + distance / (0.12 * item.radius));
    for (let channel = 0; channel < 3; channel++) {
      const under = rgb[at + channel] ?? 0;
      rgb[at + channel] = under + ((tint[channel] ?? 0) * shade - under) * paint;
    }
  });
}

/** The opacity of a fill at a point of the shape, from 0 to 1. */
function fillAt(fill: Fill, x: number, y: number, distance: number, edge: number): number {
  const period = 0.36;
  switch (fill) {
    case "solid":
      return 1;
    case "striped":
      return clamp01(0.5 - (Math.abs(wrap(x + y, 1.3 * period)) - 0.4 * period) / edge);
    case "dotted": {
      const dotX = wrap(x, period);
      const dotY = wrap(y, period);
      return clamp01(0.5 + (Math.sqrt(dotX * dotX + dotY * dotY) - 0.25 * period) / edge);
    }
    case "outlined":
      return clamp01(0.5 + (distance + 0.14) / edge);
  }
}

/** An RGB image in floating point, with loops over its pixels. */
class Canvas {
  readonly width: number;
  readonly height: number;
  /** The width of a pixel in scene coordinates. */
  readonly pixel: number;
  readonly #rgb: Float32Array;

  constructor(width: number, height: number) {
    this.width = width;
    this.height = height;
    this.pixel = 2 / Math.min(width, height);
    this.#rgb = new Float32Array(width * height * 3);
  }

  eachPixel(paint: (x: number, y: number, at: number, rgb: Float32Array) => void): void {
    this.#eachPixelIn(0, this.width, 0, this.height, paint);
  }

  /** Visits the pixels near an item, in the item's rotated coordinates, in which its radius is 1. */
  eachPixelOf(
    item: Item,
    margin: number,
    paint: (localX: number, localY: number, at: number, rgb: Float32Array) => void,
  ): void {
    const reach = (1.2 * item.radius + margin) / this.pixel;
    const column = item.x / this.pixel + this.width / 2;
    const row = item.y / this.pixel + this.height / 2;
    const cos = Math.cos(item.rotation) / item.radius;
    const sin = Math.sin(item.rotation) / item.radius;
    this.#eachPixelIn(
      Math.max(0, Math.floor(column - reach)),
      Math.min(this.width, Math.ceil(column + reach)),
      Math.max(0, Math.floor(row - reach)),
      Math.min(this.height, Math.ceil(row + reach)),
      (x, y, at, rgb) => {
        const offX = x - item.x;
        const offY = y - item.y;
        paint(offX * cos + offY * sin, offY * cos - offX * sin, at, rgb);
      },
    );
  }

  #eachPixelIn(
    left: number,
    right: number,
    top: number,
    bottom: number,
    paint: (x: number, y: number, at: number, rgb: Float32Array) => void,
  ): void {
    for (let row = top; row < bottom; row++) {
      const y = (row + 0.5 - this.height / 2) * this.pixel;
      for (let column = left; column < right; column++) {
        paint((column + 0.5 - this.width / 2) * this.pixel, y, 3 * (row * this.width + column), this.#rgb);
      }
    }
  }

  /** Applies brightness and noise, and converts to 8 bits. */
  finish(light: number, noise: number, random: Random): Raster {
    const data = new Uint8ClampedArray(this.width * this.height * 4);
    for (let pixel = 0; pixel < this.width * this.height; pixel++) {
      const grain = noise * (random.unit() + random.unit() - 1);
      for (let channel = 0; channel < 3; channel++) {
        data[4 * pixel + channel] = (this.#rgb[3 * pixel + channel] ?? 0) * light + grain;
      }
      data[4 * pixel + 3] = 255;
    }
    return { width: this.width, height: this.height, data };
  }
}

function jitter(colour: Rgb, amount: number, random: Random): Rgb {
  const shift = (): number => random.between(-amount, amount);
  return [colour[0] + shift(), colour[1] + shift(), colour[2] + shift()];
}

/** t modulo period, between −period / 2 and period / 2. */
function wrap(t: number, period: number): number {
  return t - period * Math.round(t / period);
}

function clamp01(value: number): number {
  return value < 0 ? 0 : value > 1 ? 1 : value;
}
