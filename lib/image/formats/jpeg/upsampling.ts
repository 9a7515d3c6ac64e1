/**
 * libjpeg's smooth ("fancy") upsampling of subsampled colour.
 *
 * Source: libjpeg-turbo, jdsample.c
 */

/** Samples of one component: [height, width], in rows of `stride`. */
export interface Plane {
  readonly data: Uint8Array;
  readonly stride: number;
  readonly width: number;
  readonly height: number;
}

/** Enlarges a plane. The result covers whole MCUs, so it may be larger than the frame. */
export function upsample(plane: Plane, stepX: number, stepY: number): Plane {
  if (stepX === 1 && stepY === 1) return plane;
  const smooth = plane.width > 2;
  if (stepX === 2 && stepY === 1 && smooth) return widen(plane);
  if (stepX === 1 && stepY === 2) return heighten(plane);
  if (stepX === 2 && stepY === 2 && smooth) return enlarge(plane);
  const wide = emptyPlane(plane, stepX, stepY);
  for (let y = 0; y < wide.height; y++) {
    const from = Math.floor(y / stepY) * plane.stride;
    for (let x = 0; x < wide.width; x++) {
      wide.data[y * wide.stride + x] = plane.data[from + Math.floor(x / stepX)]!;
    }
  }
  return wide;
}

function emptyPlane({ width, height }: Plane, stepX: number, stepY: number): Plane {
  const stride = width * stepX;
  return { data: new Uint8Array(stride * height * stepY), stride, width: stride, height: height * stepY };
}

/** Doubles the width: three quarters of the nearer sample plus one quarter of the farther, with alternating rounding. */
function widen(plane: Plane): Plane {
  const wide = emptyPlane(plane, 2, 1);
  const { width, data } = plane;
  for (let y = 0; y < plane.height; y++) {
    const from = y * plane.stride;
    const to = y * wide.stride;
    for (let x = 0; x < width; x++) {
      const here = data[from + x]!;
      wide.data[to + 2 * x] = x === 0 ? here : (here * 3 + data[from + x - 1]! + 1) >> 2;
      wide.data[to + 2 * x + 1] = x === width - 1 ? here : (here * 3 + data[from + x + 1]! + 2) >> 2;
    }
  }
  return wide;
}

/** The offset of the row above (for the upper of two new rows) or below, or of the same row at the edge. */
function neighbourRow({ height, stride }: Plane, y: number): number {
  const neighbour = (y >> 1) + (y % 2 === 0 ? -1 : 1);
  return Math.min(Math.max(neighbour, 0), height - 1) * stride;
}

/** Doubles the height. */
function heighten(plane: Plane): Plane {
  const high = emptyPlane(plane, 1, 2);
  for (let y = 0; y < high.height; y++) {
    const near = (y >> 1) * plane.stride;
    const far = neighbourRow(plane, y);
    const bias = y % 2 === 0 ? 1 : 2;
    for (let x = 0; x < plane.width; x++) {
      high.data[y * high.stride + x] = (plane.data[near + x]! * 3 + plane.data[far + x]! + bias) >> 2;
    }
  }
  return high;
}

/** Doubles the width and the height. */
function enlarge(plane: Plane): Plane {
  const large = emptyPlane(plane, 2, 2);
  const { width, data } = plane;
  for (let y = 0; y < large.height; y++) {
    const near = (y >> 1) * plane.stride;
    const far = neighbourRow(plane, y);
    const to = y * large.stride;
    const columnSum = (x: number) => data[near + x]! * 3 + data[far + x]!;
    for (let x = 0; x < width; x++) {
      const here = columnSum(x);
      const left = x === 0 ? here : columnSum(x - 1);
      const right = x === width - 1 ? here : columnSum(x + 1);
      large.data[to + 2 * x] = (here * 3 + left + 8) >> 4;
      large.data[to + 2 * x + 1] = (here * 3 + right + 7) >> 4;
    }
  }
  return large;
}
