/**
 * GELU, exact to float32. tfjs's erf is a polynomial with an absolute error of 1.5e-7, which small results exceed.
 *
 * Φ(x) is a polynomial in x² below |x| = 1; above, Φ(−|x|) is the density times a polynomial in 1 / (1 + 0.4 |x|). The
 * coefficients are those of the native kernel (tools/native/kernels/arithmetic.cc).
 */
import type { TensorInfo } from "@tensorflow/tfjs-core";
import { run, type Shader, type ShaderBackend } from "./program.ts";

const threads = 64;

const shader: Shader = {
  key: "clipscopeGelu",
  threads: [threads, 1, 1],
  code: `
fn main(index : i32) {
  if (index >= uniforms.count) { return; }
  let x = f32(x[index]);
  let s = x * x;
  var p = fma(-7.654239385e-06, s, 1.134864576e-04);
  p = fma(p, s, -1.186330028e-03);
  p = fma(p, s, 9.973323448e-03);
  p = fma(p, s, -6.649035993e-02);
  p = fma(p, s, 3.989422801e-01);
  let near = fma(p, x, 0.5);

  let u = 1.0 / fma(0.4, abs(x), 1.0);
  var r = fma(-3.933842750e-03, u, 8.034157033e-02);
  r = fma(r, u, -2.021894131e-01);
  r = fma(r, u, 1.162677965e-01);
  r = fma(r, u, 5.118540708e-02);
  r = fma(r, u, 1.400027985e-01);
  r = fma(r, u, 1.589779870e-01);
  r = fma(r, u, 1.596018591e-01);
  let below = r * u * exp(-0.5 * s);
  let far = select(1.0 - below, below, x < 0.0);
  result[index] = x * select(far, near, abs(x) < 1.0);
}`,
};

export function gelu(backend: ShaderBackend, x: TensorInfo): TensorInfo {
  const count = x.shape.reduce((product, size) => product * size, 1);
  return run(backend, shader, {
    inputs: { x },
    integers: { count },
    outputShape: x.shape,
    workgroups: [Math.ceil(count / threads)],
  });
}
