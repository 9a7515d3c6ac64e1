/** The normal distribution function, by the series of erf near 0 and the continued fraction of erfc elsewhere. */
export function phi(x: number): number {
  const t = Math.abs(x) / Math.SQRT2;
  let below: number; // Φ(−|x|)
  if (t < 3) {
    let term = t;
    let total = t;
    for (let n = 1; n < 200; n++) {
      term *= -(t * t) / n;
      total += term / (2 * n + 1);
    }
    below = 0.5 - total / Math.sqrt(Math.PI);
  } else {
    let fraction = t;
    for (let n = 120; n > 0; n--) fraction = t + n / 2 / fraction;
    below = Math.exp(-t * t) / (2 * fraction * Math.sqrt(Math.PI));
  }
  return x < 0 ? below : 1 - below;
}
