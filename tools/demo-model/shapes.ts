/**
 * Signed distances to the eight shapes, in units of the shape's radius: negative inside, with y pointing down.
 * Source: https://iquilezles.org/articles/distfunctions2d/ for the less obvious formulas.
 */
import type { Shape } from "./scene.ts";

type Point = readonly [x: number, y: number];

/** Distance from (x, y) to the shape's edge. */
export function distanceTo(shape: Shape, x: number, y: number): number {
  switch (shape) {
    case "circle":
      return Math.sqrt(x * x + y * y) - 0.88;
    case "ring":
      return Math.abs(Math.sqrt(x * x + y * y) - 0.72) - 0.23;
    case "crescent":
      return crescent(x, y);
    case "heart":
      return heart(x, y);
    case "square":
      return polygon(square, x, y) - rounding;
    case "triangle":
      return polygon(triangle, x, y) - rounding;
    case "star":
      return polygon(star, x, y) - rounding;
    case "cross":
      return polygon(cross, x, y) - rounding;
  }
}

/** The radius that corners of polygons are rounded with. */
const rounding = 0.05;

const square: readonly Point[] = [
  [-0.72, -0.72],
  [0.72, -0.72],
  [0.72, 0.72],
  [-0.72, 0.72],
];

const triangle: readonly Point[] = [
  [0, -0.88],
  [0.9, 0.7],
  [-0.9, 0.7],
];

const cross: readonly Point[] = [
  [-0.25, -0.88],
  [0.25, -0.88],
  [0.25, -0.25],
  [0.88, -0.25],
  [0.88, 0.25],
  [0.25, 0.25],
  [0.25, 0.88],
  [-0.25, 0.88],
  [-0.25, 0.25],
  [-0.88, 0.25],
  [-0.88, -0.25],
  [-0.25, -0.25],
];

/** Five points on a circle of radius 1, five between them on one of 0.44. */
const star: readonly Point[] = Array.from({ length: 10 }, (_, corner): Point => {
  const radius = corner % 2 === 0 ? 1 : 0.44;
  const angle = (corner * Math.PI) / 5;
  return [radius * Math.sin(angle), 0.06 - radius * Math.cos(angle)];
});

function polygon(points: readonly Point[], x: number, y: number): number {
  let nearest = Infinity;
  let inside = false;
  let [previousX, previousY] = points[points.length - 1] ?? [0, 0];
  for (const [pointX, pointY] of points) {
    const edgeX = previousX - pointX;
    const edgeY = previousY - pointY;
    const fromX = x - pointX;
    const fromY = y - pointY;
    const along = (fromX * edgeX + fromY * edgeY) / (edgeX * edgeX + edgeY * edgeY);
    const clamped = along < 0 ? 0 : along > 1 ? 1 : along;
    const offX = fromX - edgeX * clamped;
    const offY = fromY - edgeY * clamped;
    const squared = offX * offX + offY * offY;
    if (squared < nearest) nearest = squared;
    // Even-odd rule: a ray to the right crosses the outline an odd number of times.
    if (
      pointY > y !== previousY > y &&
      x < ((previousX - pointX) * (y - pointY)) / (previousY - pointY) + pointX
    ) {
      inside = !inside;
    }
    previousX = pointX;
    previousY = pointY;
  }
  return inside ? -Math.sqrt(nearest) : Math.sqrt(nearest);
}

/** A disc minus a second disc to its right. */
function crescent(x: number, y: number): number {
  const [radius, bite, apart] = [0.9, 0.72, 0.45];
  const across = x + 0.1;
  const up = Math.abs(y);
  // Where the two circles meet: the horns.
  const hornX = (radius * radius - bite * bite + apart * apart) / (2 * apart);
  const hornY = Math.sqrt(Math.max(radius * radius - hornX * hornX, 0));
  // Behind the horns, as seen from the centre of the second disc, the nearest point is a horn.
  if (apart * (across * hornY - up * hornX) > apart * apart * Math.max(hornY - up, 0)) {
    return Math.sqrt((across - hornX) ** 2 + (up - hornY) ** 2);
  }
  const disc = Math.sqrt(across * across + up * up) - radius;
  const bitten = Math.sqrt((across - apart) ** 2 + up * up) - bite;
  return Math.max(disc, -bitten);
}

/** The exact heart of the article, moved and scaled into the unit circle. */
function heart(x: number, y: number): number {
  const scale = 1.62;
  const across = Math.abs(x) / scale;
  const up = 0.54 - y / scale;
  if (across + up > 1) return scale * (Math.sqrt((across - 0.25) ** 2 + (up - 0.75) ** 2) - Math.SQRT2 / 4);
  const diagonal = 0.5 * Math.max(across + up, 0);
  const nearest = Math.min(across ** 2 + (up - 1) ** 2, (across - diagonal) ** 2 + (up - diagonal) ** 2);
  return scale * Math.sqrt(nearest) * Math.sign(across - up);
}
