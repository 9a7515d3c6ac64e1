/**
 * Resize and normalisation of 8-bit images, in AssemblyScript. lib/image/simd.ts calls these functions and lays out
 * the memory.
 *
 * The arithmetic is Pillow's: a sample times a weight with 22 fraction bits, summed in 32 bits, rounded, shifted and
 * clipped. A weight has 24 bits, and SIMD multiplies 16: `dot_i16x8_s` multiplies eight pairs and adds neighbours. So
 * every weight w is stored as two halves, w = high · 2^15 + low with 0 <= low < 2^15, and the two sums are joined at the
 * end. All sums wrap at 32 bits as Pillow's do, so the result is the same for any number of taps.
 *
 * Loads take 16 bytes, and so do stores except those of `horizontal`: each buffer needs 16 bytes of room behind it.
 */

/** 0.5 in fixed point. */
const oneHalf: i32 = 1 << 21;
const fractionBits: i32 = 22;
const lowBits: i32 = 15;

/** Joins the halves of four sums, and rounds them down to samples: four 32-bit lanes. */
function samples(low: v128, high: v128): v128 {
  return i32x4.shr_s(i32x4.add(low, i32x4.shl(high, lowBits)), fractionBits);
}

/**
 * Resizes rows horizontally: `rows` rows of `columns` pixels from rows of `sourcePitch` bytes. Two rows share each weight that
 * is loaded; an odd last row is computed with itself.
 *
 * Four taps are one load of 16 bytes. A swizzle pairs the first two pixels band by band (r0 r1 g0 g1 b0 b1 a0 a1, as 16
 * bits), which multiplied by (w0 w1 w0 w1 …) gives the four bands' sums; a second one pairs the other two.
 *
 * @param stride bytes of a source pixel: 3 or 4
 * @param bands bytes of a target pixel: 3 or 4
 * @param first byte offsets in the source row, one per column
 * @param weights [columns, groups, 4]: for four taps the low halves of the first two, their high halves, and the same
 *   of the other two
 */
export function horizontal(
  source: usize,
  sourcePitch: usize,
  stride: i32,
  rows: i32,
  columns: i32,
  first: usize,
  weights: usize,
  groups: i32,
  target: usize,
  bands: usize,
): void {
  const targetPitch = <usize>columns * bands;
  const three = stride === 3;
  const firstPair = three
    ? i8x16(0, -1, 3, -1, 1, -1, 4, -1, 2, -1, 5, -1, -1, -1, -1, -1)
    : i8x16(0, -1, 4, -1, 1, -1, 5, -1, 2, -1, 6, -1, 3, -1, 7, -1);
  const secondPair = three
    ? i8x16(6, -1, 9, -1, 7, -1, 10, -1, 8, -1, 11, -1, -1, -1, -1, -1)
    : i8x16(8, -1, 12, -1, 9, -1, 13, -1, 10, -1, 14, -1, 11, -1, 15, -1);
  const step: usize = 4 * stride;
  for (let y = 0; y < rows; y += 2) {
    const above = source + <usize>y * sourcePitch;
    const isLast = y + 1 === rows;
    const below = isLast ? above : above + sourcePitch;
    let to = target + <usize>y * targetPitch;
    let toBelow = isLast ? to : to + targetPitch;
    let weight = weights;
    for (let x = 0; x < columns; x++) {
      const offset = <usize>load<u32>(first + ((<usize>x) << 2));
      let from = above + offset;
      let fromBelow = below + offset;
      let low = i32x4.splat(oneHalf);
      let high = i32x4.splat(0);
      let lowBelow = low;
      let highBelow = high;
      for (let group = 0; group < groups; group++) {
        const four = v128.load(from);
        const fourBelow = v128.load(fromBelow);
        let lows = v128.load32_splat(weight);
        let highs = v128.load32_splat(weight, 4);
        let pair = i8x16.swizzle(four, firstPair);
        let pairBelow = i8x16.swizzle(fourBelow, firstPair);
        low = i32x4.add(low, i32x4.dot_i16x8_s(pair, lows));
        high = i32x4.add(high, i32x4.dot_i16x8_s(pair, highs));
        lowBelow = i32x4.add(lowBelow, i32x4.dot_i16x8_s(pairBelow, lows));
        highBelow = i32x4.add(highBelow, i32x4.dot_i16x8_s(pairBelow, highs));
        lows = v128.load32_splat(weight, 8);
        highs = v128.load32_splat(weight, 12);
        pair = i8x16.swizzle(four, secondPair);
        pairBelow = i8x16.swizzle(fourBelow, secondPair);
        low = i32x4.add(low, i32x4.dot_i16x8_s(pair, lows));
        high = i32x4.add(high, i32x4.dot_i16x8_s(pair, highs));
        lowBelow = i32x4.add(lowBelow, i32x4.dot_i16x8_s(pairBelow, lows));
        highBelow = i32x4.add(highBelow, i32x4.dot_i16x8_s(pairBelow, highs));
        from += step;
        fromBelow += step;
        weight += 16;
      }
      const both = i16x8.narrow_i32x4_s(samples(low, high), samples(lowBelow, highBelow));
      const bytes = i8x16.narrow_i16x8_u(both, both);
      v128.store16_lane(to, bytes, 0);
      v128.store8_lane(to, bytes, 2, 2);
      v128.store16_lane(toBelow, bytes, 2);
      v128.store8_lane(toBelow, bytes, 6, 2);
      if (bands === 4) {
        v128.store8_lane(to, bytes, 3, 3);
        v128.store8_lane(toBelow, bytes, 7, 3);
      }
      to += bands;
      toBelow += bands;
    }
  }
}

/**
 * Resizes columns, 16 samples at a time and two source rows at a time. The bands need not be told apart. What a store
 * writes beyond a row is overwritten by the next row.
 *
 * @param pitch bytes of a row, of source and target
 * @param first the first source row of each row
 * @param weights [rows, pairs, 2]: for two taps their low halves, then their high halves
 */
export function vertical(
  source: usize,
  pitch: usize,
  rows: i32,
  first: usize,
  weights: usize,
  pairs: i32,
  target: usize,
): void {
  for (let y = 0; y < rows; y++) {
    const top = source + <usize>load<u32>(first + ((<usize>y) << 2)) * pitch;
    const to = target + <usize>y * pitch;
    const start = weights + ((<usize>y * pairs) << 3);
    for (let x: usize = 0; x < pitch; x += 16) {
      let low0 = i32x4.splat(oneHalf);
      let low1 = low0;
      let low2 = low0;
      let low3 = low0;
      let high0 = i32x4.splat(0);
      let high1 = high0;
      let high2 = high0;
      let high3 = high0;
      let from = top + x;
      let weight = start;
      for (let pair = 0; pair < pairs; pair++) {
        const above = v128.load(from);
        const below = v128.load(from + pitch);
        const lows = v128.load32_splat(weight);
        const highs = v128.load32_splat(weight, 4);
        const left = i8x16.shuffle(above, below, 0, 16, 1, 17, 2, 18, 3, 19, 4, 20, 5, 21, 6, 22, 7, 23);
        const right = i8x16.shuffle(
          above,
          below,
          8,
          24,
          9,
          25,
          10,
          26,
          11,
          27,
          12,
          28,
          13,
          29,
          14,
          30,
          15,
          31,
        );
        let four = i16x8.extend_low_i8x16_u(left);
        low0 = i32x4.add(low0, i32x4.dot_i16x8_s(four, lows));
        high0 = i32x4.add(high0, i32x4.dot_i16x8_s(four, highs));
        four = i16x8.extend_high_i8x16_u(left);
        low1 = i32x4.add(low1, i32x4.dot_i16x8_s(four, lows));
        high1 = i32x4.add(high1, i32x4.dot_i16x8_s(four, highs));
        four = i16x8.extend_low_i8x16_u(right);
        low2 = i32x4.add(low2, i32x4.dot_i16x8_s(four, lows));
        high2 = i32x4.add(high2, i32x4.dot_i16x8_s(four, highs));
        four = i16x8.extend_high_i8x16_u(right);
        low3 = i32x4.add(low3, i32x4.dot_i16x8_s(four, lows));
        high3 = i32x4.add(high3, i32x4.dot_i16x8_s(four, highs));
        from += pitch << 1;
        weight += 8;
      }
      const left = i16x8.narrow_i32x4_s(samples(low0, high0), samples(low1, high1));
      const right = i16x8.narrow_i32x4_s(samples(low2, high2), samples(low3, high3));
      v128.store(to + x, i8x16.narrow_i16x8_u(left, right));
    }
  }
}

/**
 * (x / 255 − mean) / std of RGB pixels, in float32 and in three planes, four pixels at a time.
 *
 * @param source [pixels, 3]
 * @param settings the three means, then the three standard deviations, float32
 * @param planePitch bytes from one plane to the next, with room for three more pixels
 */
export function normalise(
  source: usize,
  pixels: i32,
  settings: usize,
  target: usize,
  planePitch: usize,
): void {
  const full = f32x4.splat(255);
  const redMean = v128.load32_splat(settings);
  const greenMean = v128.load32_splat(settings, 4);
  const blueMean = v128.load32_splat(settings, 8);
  const redStd = v128.load32_splat(settings, 12);
  const greenStd = v128.load32_splat(settings, 16);
  const blueStd = v128.load32_splat(settings, 20);
  for (let i = 0; i < pixels; i += 4) {
    const four = v128.load(source);
    const red = i8x16.swizzle(four, i8x16(0, -1, -1, -1, 3, -1, -1, -1, 6, -1, -1, -1, 9, -1, -1, -1));
    const green = i8x16.swizzle(four, i8x16(1, -1, -1, -1, 4, -1, -1, -1, 7, -1, -1, -1, 10, -1, -1, -1));
    const blue = i8x16.swizzle(four, i8x16(2, -1, -1, -1, 5, -1, -1, -1, 8, -1, -1, -1, 11, -1, -1, -1));
    v128.store(target, scaled(red, full, redMean, redStd));
    v128.store(target + planePitch, scaled(green, full, greenMean, greenStd));
    v128.store(target + 2 * planePitch, scaled(blue, full, blueMean, blueStd));
    source += 12;
    target += 16;
  }
}

function scaled(levels: v128, full: v128, mean: v128, std: v128): v128 {
  return f32x4.div(f32x4.sub(f32x4.div(f32x4.convert_i32x4_s(levels), full), mean), std);
}
