/**
 * Chapter 3 of docs/guide: block 0 of the image tower, computed a second time with plain loops over numbers.
 *
 *     node dist/examples/guide/one-block.js
 *
 * Each step is compared with the network's tap of the same value; the program fails if one differs by more than 1e-4.
 * The formulas are those of `lib/clip/residual-attention-block.ts` and the layers that it uses.
 */
import { lookInside, printTable } from "./inside.ts";

type Matrix = readonly (readonly number[])[];

const block = "visual.transformer.resblocks.0";
const { model, rows, weight } = await lookInside();
const heads = model.config.vision.heads;

const [ln1, attn, ln2, cFc, cProj] = [
  await layerNormOf(`${block}.ln_1`),
  { inProj: await linearOf(`${block}.attn.in_proj_`), outProj: await linearOf(`${block}.attn.out_proj.`) },
  await layerNormOf(`${block}.ln_2`),
  await linearOf(`${block}.mlp.c_fc.`),
  await linearOf(`${block}.mlp.c_proj.`),
];

const steps: (string | number)[][] = [["step", "shape", "tap", "0", "1", "2"]];

// x + attn(ln_1(x))
const x = step("x", rows("visual.ln_pre"), "visual.ln_pre");
const normed = step("ln_1(x)", layerNorm(x, ln1), `${block}.ln_1`);
const qkv = linear(normed, attn.inProj); // [tokens, 3 · width]
const width = x[0]!.length;
const query = step("q", columns(qkv, 0, width));
const key = step("k", columns(qkv, width, 2 * width));
const value = step("v", columns(qkv, 2 * width, 3 * width));

const headWidth = width / heads;
const scoresOfHeads = range(heads).map((head) => scores(ofHead(query, head), ofHead(key, head)));
step("q · kᵀ / √d, head 0", scoresOfHeads[0]!);
const probabilities = scoresOfHeads.map((scoresOfHead) => scoresOfHead.map(softmax)); // [heads, tokens, tokens]
step("softmax, head 0", probabilities[0]!);
compare("softmax", probabilities.flat(), `${block}.attn#probabilities`);
const contexts = probabilities.map((p, head) => multiply(p, ofHead(value, head))); // [heads, tokens, headWidth]
const context = x.map((_, token) => contexts.flatMap((ofOneHead) => ofOneHead[token]!)); // heads side by side
step("softmax · v", context);
const attended = step("attn", linear(context, attn.outProj), `${block}.attn`);
const middle = step("x + attn", add(x, attended), `${block}#after_attention`);

// x + mlp(ln_2(x))
const normedAgain = step("ln_2(x)", layerNorm(middle, ln2), `${block}.ln_2`);
const expanded = step("c_fc", linear(normedAgain, cFc), `${block}.mlp.c_fc`);
const activated = step("gelu", expanded.map((row) => row.map(gelu)), `${block}.mlp.gelu`); // prettier-ignore
const projected = step("c_proj", linear(activated, cProj), `${block}.mlp.c_proj`);
step("x + mlp", add(middle, projected), block);

await model.dispose();
printTable(steps);

const [first] = x;
const mean = sum(first!) / width;
const variance = sum(first!.map((v) => (v - mean) ** 2)) / width;
console.log("\nln_1 of token 0");
printTable([
  ["mean", "deviation", "weight[0]", "bias[0]"],
  [mean.toFixed(4), Math.sqrt(variance + 1e-5), ln1.weight[0]!, ln1.bias[0]!],
]);

const row = scoresOfHeads[0]![0]!;
const denominator = sum(row.map(Math.exp));
console.log("\nwhere token 0 looks in head 0: its three largest scores");
printTable([
  ["token", "score", "exp(score)", "sum of all 37", "probability"],
  ...range(row.length)
    .sort((a, b) => row[b]! - row[a]!)
    .slice(0, 3)
    .map((token) => [
      String(token),
      row[token]!,
      Math.exp(row[token]!),
      denominator,
      Math.exp(row[token]!) / denominator,
    ]),
]);

/** Adds a line to the table, and compares with a tap where the network has one. */
function step(name: string, matrix: Matrix, tap?: string): Matrix {
  const shape = `[${matrix.length}, ${matrix[0]!.length}]`;
  if (tap !== undefined) compare(name, matrix, tap);
  steps.push([name, shape, tap === undefined ? "" : "agrees", ...matrix[0]!.slice(0, 3)]);
  return matrix;
}

function compare(name: string, ours: Matrix, tap: string): void {
  for (const [r, expected] of rows(tap).entries()) {
    for (const [c, number] of expected.entries()) {
      if (!(Math.abs(ours[r]![c]! - number) < 1e-4)) {
        throw new Error(`${name}: row ${r}, column ${c}: computed ${ours[r]![c]}, ${tap} has ${number}`);
      }
    }
  }
}

/** (x − mean) / √(variance + ε) · weight + bias, in each row. */
function layerNorm(
  x: Matrix,
  { weight, bias }: { weight: readonly number[]; bias: readonly number[] },
): Matrix {
  return x.map((row) => {
    const mean = sum(row) / row.length;
    const deviation = Math.sqrt(sum(row.map((v) => (v - mean) ** 2)) / row.length + 1e-5);
    return row.map((v, c) => ((v - mean) / deviation) * weight[c]! + bias[c]!);
  });
}

/** x · weightᵀ + bias. */
function linear(x: Matrix, { weight, bias }: { weight: Matrix; bias: readonly number[] }): Matrix {
  return x.map((row) => weight.map((filter, out) => dot(row, filter) + bias[out]!));
}

/** q · kᵀ / √headWidth. */
function scores(q: Matrix, k: Matrix): Matrix {
  return q.map((from) => k.map((to) => dot(from, to) / Math.sqrt(headWidth)));
}

function softmax(row: readonly number[]): number[] {
  const exponentials = row.map(Math.exp);
  return exponentials.map((e) => e / sum(exponentials));
}

/** x · Φ(x). */
function gelu(x: number): number {
  return (x * (1 + erf(x / Math.SQRT2))) / 2;
}

/** 2/√π · (x − x³/3 + x⁵/(2!·5) − x⁷/(3!·7) + …); beyond 4 it is ±1 to eight digits. */
function erf(x: number): number {
  if (Math.abs(x) > 4) return Math.sign(x);
  let total = 0;
  let power = x; // (−1)ⁿ x²ⁿ⁺¹ / n!
  for (let n = 0; n < 80; n++) {
    total += power / (2 * n + 1);
    power *= -(x * x) / (n + 1);
  }
  return (2 / Math.sqrt(Math.PI)) * total;
}

function multiply(a: Matrix, b: Matrix): Matrix {
  const transposed = b[0]!.map((_, c) => b.map((row) => row[c]!));
  return a.map((row) => transposed.map((column) => dot(row, column)));
}

function add(a: Matrix, b: Matrix): Matrix {
  return a.map((row, r) => row.map((v, c) => v + b[r]![c]!));
}

function columns(x: Matrix, from: number, to: number): Matrix {
  return x.map((row) => row.slice(from, to));
}

function ofHead(x: Matrix, head: number): Matrix {
  return columns(x, head * headWidth, (head + 1) * headWidth);
}

function dot(a: readonly number[], b: readonly number[]): number {
  return a.reduce((total, v, i) => total + v * b[i]!, 0);
}

function sum(values: readonly number[]): number {
  return values.reduce((total, v) => total + v, 0);
}

function range(length: number): number[] {
  return Array.from({ length }, (_, i) => i);
}

async function layerNormOf(path: string): Promise<{ weight: readonly number[]; bias: readonly number[] }> {
  return { weight: (await weight(`${path}.weight`))[0]!, bias: (await weight(`${path}.bias`))[0]! };
}

/** @param prefix what precedes "weight" and "bias" in the state dict */
async function linearOf(prefix: string): Promise<{ weight: Matrix; bias: readonly number[] }> {
  return { weight: await weight(`${prefix}weight`), bias: (await weight(`${prefix}bias`))[0]! };
}
