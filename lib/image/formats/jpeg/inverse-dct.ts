/**
 * libjpeg's accurate integer inverse DCT, in fixed point with 13 fraction bits.
 *
 * Source: libjpeg-turbo, jidctint.c
 */

/** The samples of a block, which has 8 x 8. */
export const blockSize = 64;

/** The constants of the inverse DCT, times 2^13. */
const fix = {
  c0_298631336: 2446,
  c0_390180644: 3196,
  c0_541196100: 4433,
  c0_765366865: 6270,
  c0_899976223: 7373,
  c1_175875602: 9633,
  c1_501321110: 12299,
  c1_847759065: 15137,
  c1_961570560: 16069,
  c2_053119869: 16819,
  c2_562915447: 20995,
  c3_072711026: 25172,
} as const;

/** One 8-point inverse DCT in place. The values are `step` items apart; the results are rounded and shifted right. */
function inverseDct8(data: Int32Array, at: number, step: number, shift: number): void {
  const s0 = data[at]!;
  const s1 = data[at + step]!;
  const s2 = data[at + step * 2]!;
  const s3 = data[at + step * 3]!;
  const s4 = data[at + step * 4]!;
  const s5 = data[at + step * 5]!;
  const s6 = data[at + step * 6]!;
  const s7 = data[at + step * 7]!;

  const even = Math.imul(s2 + s6, fix.c0_541196100);
  const even2 = even - Math.imul(s6, fix.c1_847759065);
  const even3 = even + Math.imul(s2, fix.c0_765366865);
  const sum = (s0 + s4) << 13;
  const difference = (s0 - s4) << 13;
  const half = 1 << (shift - 1);
  const t0 = sum + even3 + half;
  const t3 = sum - even3 + half;
  const t1 = difference + even2 + half;
  const t2 = difference - even2 + half;

  const z5 = Math.imul(s7 + s3 + s5 + s1, fix.c1_175875602);
  const z1 = -Math.imul(s7 + s1, fix.c0_899976223);
  const z2 = -Math.imul(s5 + s3, fix.c2_562915447);
  const z3 = z5 - Math.imul(s7 + s3, fix.c1_961570560);
  const z4 = z5 - Math.imul(s5 + s1, fix.c0_390180644);
  const odd0 = Math.imul(s7, fix.c0_298631336) + z1 + z3;
  const odd1 = Math.imul(s5, fix.c2_053119869) + z2 + z4;
  const odd2 = Math.imul(s3, fix.c3_072711026) + z2 + z3;
  const odd3 = Math.imul(s1, fix.c1_501321110) + z1 + z4;

  data[at] = (t0 + odd3) >> shift;
  data[at + step * 7] = (t0 - odd3) >> shift;
  data[at + step] = (t1 + odd2) >> shift;
  data[at + step * 6] = (t1 - odd2) >> shift;
  data[at + step * 2] = (t2 + odd1) >> shift;
  data[at + step * 5] = (t2 - odd1) >> shift;
  data[at + step * 3] = (t3 + odd0) >> shift;
  data[at + step * 4] = (t3 - odd0) >> shift;
}

/**
 * Transforms a block in place: columns, then rows.
 *
 * @param block [8, 8] dequantised coefficients, which become samples around 0
 */
export function inverseDct(block: Int32Array): void {
  for (let column = 0; column < 8; column++) inverseDct8(block, column, 8, 11);
  for (let row = 0; row < 8; row++) inverseDct8(block, row * 8, 1, 18);
}
