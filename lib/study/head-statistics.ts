/** Two numbers that tell heads apart: how spread their attention is, and how far it reaches. */
import type { Attention } from "./attention.ts";

/** What tells the heads of an image tower apart. */
export interface HeadStatistics {
  /** Mean over query tokens of −Σ p log₂ p, in bits: 0 if each looks at one token, log₂ L if at all equally. */
  readonly entropy: number;
  /**
   * Mean over query patches of the attention-weighted distance to the key patches, in patches; the class token has no
   * place and is left out. Source: Dosovitskiy et al., 2021 (arXiv 2010.11929), figure 11.
   */
  readonly distance: number;
}

/** One head of an image's attention. @param columns patches in a row of the image */
export function headStatistics({ values, length }: Attention, head: number, columns: number): HeadStatistics {
  let entropy = 0;
  let distance = 0;
  for (let q = 0; q < length; q++) {
    const row = (head * length + q) * length;
    let [reach, mass] = [0, 0];
    for (let k = 0; k < length; k++) {
      const p = values[row + k]!;
      if (p > 0) entropy -= p * Math.log2(p);
      if (q === 0 || k === 0) continue;
      const [from, to] = [q - 1, k - 1];
      const across = (from % columns) - (to % columns);
      const down = Math.floor(from / columns) - Math.floor(to / columns);
      reach += p * Math.hypot(across, down);
      mass += p;
    }
    if (mass > 0) distance += reach / mass;
  }
  return { entropy: entropy / length, distance: distance / (length - 1) };
}
