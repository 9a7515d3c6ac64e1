/**
 * Resize and look-up of 8-bit images, in AssemblyScript. lib/image/simd.ts calls these functions and lays out
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
 * @param weights [columns, pairs, 2]: for two taps their low halves, then their high halves
 */
export function horizontal(
  source: usize,
  sourcePitch: usize,
  stride: i32,
  rows: i32,
  columns: i32,
  first: usize,
  weights: usize,
  pairs: i32,
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
  const isOdd = (pairs & 1) === 1;
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
      for (let pair = 1; pair < pairs; pair += 2) {
        const four = v128.load(from);
        const fourBelow = v128.load(fromBelow);
        let lows = v128.load32_splat(weight);
        let highs = v128.load32_splat(weight, 4);
        let two = i8x16.swizzle(four, firstPair);
        let twoBelow = i8x16.swizzle(fourBelow, firstPair);
        low = i32x4.add(low, i32x4.dot_i16x8_s(two, lows));
        high = i32x4.add(high, i32x4.dot_i16x8_s(two, highs));
        lowBelow = i32x4.add(lowBelow, i32x4.dot_i16x8_s(twoBelow, lows));
        highBelow = i32x4.add(highBelow, i32x4.dot_i16x8_s(twoBelow, highs));
        lows = v128.load32_splat(weight, 8);
        highs = v128.load32_splat(weight, 12);
        two = i8x16.swizzle(four, secondPair);
        twoBelow = i8x16.swizzle(fourBelow, secondPair);
        low = i32x4.add(low, i32x4.dot_i16x8_s(two, lows));
        high = i32x4.add(high, i32x4.dot_i16x8_s(two, highs));
        lowBelow = i32x4.add(lowBelow, i32x4.dot_i16x8_s(twoBelow, lows));
        highBelow = i32x4.add(highBelow, i32x4.dot_i16x8_s(twoBelow, highs));
        from += step;
        fromBelow += step;
        weight += 16;
      }
      if (isOdd) {
        const lows = v128.load32_splat(weight);
        const highs = v128.load32_splat(weight, 4);
        const two = i8x16.swizzle(v128.load64_zero(from), firstPair);
        const twoBelow = i8x16.swizzle(v128.load64_zero(fromBelow), firstPair);
        low = i32x4.add(low, i32x4.dot_i16x8_s(two, lows));
        high = i32x4.add(high, i32x4.dot_i16x8_s(two, highs));
        lowBelow = i32x4.add(lowBelow, i32x4.dot_i16x8_s(twoBelow, lows));
        highBelow = i32x4.add(highBelow, i32x4.dot_i16x8_s(twoBelow, highs));
        weight += 8;
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
 * Looks up the values of RGB pixels: interleaved samples become three planes of float32.
 *
 * @param source [pixels, 3]
 * @param tables [3, 256]: the value of each level, per band
 * @param target [3, pixels]
 */
export function lookUp(source: usize, pixels: i32, tables: usize, target: usize): void {
  const plane = (<usize>pixels) << 2;
  const green = tables + 1024;
  const blue = tables + 2048;
  for (let i = 0; i < pixels; i++) {
    f32.store(target, f32.load(tables + ((<usize>load<u8>(source)) << 2)));
    f32.store(target + plane, f32.load(green + ((<usize>load<u8>(source, 1)) << 2)));
    f32.store(target + 2 * plane, f32.load(blue + ((<usize>load<u8>(source, 2)) << 2)));
    source += 3;
    target += 4;
  }
}
