/** Hashes of 32 bits, for numbers that depend on a name and a position alone. */

/** Consecutive multiples of this number (2³² divided by the golden ratio) spread evenly over 32 bits. */
export const goldenRatio = 0x9e3779b9;

/** FNV-1a (public domain) over the name's ASCII characters. */
export function fnv1a(name: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < name.length; i++) hash = Math.imul(hash ^ name.charCodeAt(i), 0x01000193);
  return hash;
}

/** The finaliser of MurmurHash3 (public domain): every bit of the result depends on every bit of the input. */
export function mix(h: number): number {
  h = Math.imul(h ^ (h >>> 16), 0x85ebca6b);
  h = Math.imul(h ^ (h >>> 13), 0xc2b2ae35);
  return h ^ (h >>> 16);
}
