/** The threads of a workgroup that share one row of a matrix. */
export const rowThreads = 64;

/**
 * WGSL functions `sumOf` and `maximumOf`: each thread passes its value, and all get the sum or maximum.
 *
 * The values go into memory that the workgroup shares. In each step half of the threads add the value of another thread
 * to their own, so that 64 values take six steps. The order of the sum is fixed.
 */
export const reductions = `
var<workgroup> shared_values : array<f32, ${rowThreads}>;
${reduction("sumOf", "a + b")}
${reduction("maximumOf", "max(a, b)")}`;

function reduction(name: string, combined: string): string {
  return `
fn ${name}(value : f32) -> f32 {
  shared_values[localIndex] = value;
  workgroupBarrier();
  for (var half = ${rowThreads / 2}u; half > 0u; half = half >> 1u) {
    if (localIndex < half) {
      let a = shared_values[localIndex];
      let b = shared_values[localIndex + half];
      shared_values[localIndex] = ${combined};
    }
    workgroupBarrier();
  }
  let all = shared_values[0];
  workgroupBarrier();
  return all;
}`;
}
