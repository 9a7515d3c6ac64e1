/**
 * Dot products of int8 rows with an int16 query, exact in int32, in AssemblyScript. lib/retrieval/scan/wasm-kernel.ts
 * calls it and lays out the memory.
 */

/** Codes per turn of the inner loop, which a row has a whole number of. */
const codesPerTurn: usize = 32;

/** The sum of four lanes. */
function sum(lanes: v128): i32 {
  return (
    i32x4.extract_lane(lanes, 0) +
    i32x4.extract_lane(lanes, 1) +
    i32x4.extract_lane(lanes, 2) +
    i32x4.extract_lane(lanes, 3)
  );
}

/**
 * Four rows per turn share what is loaded of the query. Rows that follow each other are also read from memory faster than
 * one after another.
 *
 * @param base the codes of row 0
 * @param list rows, as 32-bit integers; a multiple of four of them
 * @param listEnd behind the last of them
 * @param stride bytes of a row: a multiple of 32
 * @param query int16 codes
 * @param out receives an int32 for each row of the list
 */
export function dots(
  base: usize,
  list: usize,
  listEnd: usize,
  stride: usize,
  query: usize,
  out: usize,
): void {
  for (; list < listEnd; list += 16) {
    let rowA = base + <usize>load<u32>(list) * stride;
    let rowB = base + <usize>load<u32>(list, 4) * stride;
    let rowC = base + <usize>load<u32>(list, 8) * stride;
    let rowD = base + <usize>load<u32>(list, 12) * stride;
    let sumA = i32x4.splat(0);
    let sumB = sumA;
    let sumC = sumA;
    let sumD = sumA;
    let at = query;
    const end = rowA + stride;
    do {
      let part = v128.load(at);
      sumA = i32x4.add(sumA, i32x4.dot_i16x8_s(v128.load8x8_s(rowA), part));
      sumB = i32x4.add(sumB, i32x4.dot_i16x8_s(v128.load8x8_s(rowB), part));
      sumC = i32x4.add(sumC, i32x4.dot_i16x8_s(v128.load8x8_s(rowC), part));
      sumD = i32x4.add(sumD, i32x4.dot_i16x8_s(v128.load8x8_s(rowD), part));
      part = v128.load(at, 16);
      sumA = i32x4.add(sumA, i32x4.dot_i16x8_s(v128.load8x8_s(rowA, 8), part));
      sumB = i32x4.add(sumB, i32x4.dot_i16x8_s(v128.load8x8_s(rowB, 8), part));
      sumC = i32x4.add(sumC, i32x4.dot_i16x8_s(v128.load8x8_s(rowC, 8), part));
      sumD = i32x4.add(sumD, i32x4.dot_i16x8_s(v128.load8x8_s(rowD, 8), part));
      part = v128.load(at, 32);
      sumA = i32x4.add(sumA, i32x4.dot_i16x8_s(v128.load8x8_s(rowA, 16), part));
      sumB = i32x4.add(sumB, i32x4.dot_i16x8_s(v128.load8x8_s(rowB, 16), part));
      sumC = i32x4.add(sumC, i32x4.dot_i16x8_s(v128.load8x8_s(rowC, 16), part));
      sumD = i32x4.add(sumD, i32x4.dot_i16x8_s(v128.load8x8_s(rowD, 16), part));
      part = v128.load(at, 48);
      sumA = i32x4.add(sumA, i32x4.dot_i16x8_s(v128.load8x8_s(rowA, 24), part));
      sumB = i32x4.add(sumB, i32x4.dot_i16x8_s(v128.load8x8_s(rowB, 24), part));
      sumC = i32x4.add(sumC, i32x4.dot_i16x8_s(v128.load8x8_s(rowC, 24), part));
      sumD = i32x4.add(sumD, i32x4.dot_i16x8_s(v128.load8x8_s(rowD, 24), part));
      at += 2 * codesPerTurn;
      rowA += codesPerTurn;
      rowB += codesPerTurn;
      rowC += codesPerTurn;
      rowD += codesPerTurn;
    } while (rowA < end);
    store<i32>(out, sum(sumA));
    store<i32>(out, sum(sumB), 4);
    store<i32>(out, sum(sumC), 8);
    store<i32>(out, sum(sumD), 12);
    out += 16;
  }
}
