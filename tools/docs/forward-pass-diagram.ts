/** The forward pass of both towers, with shapes and tap names: docs/diagrams/forward-pass.svg. */
import { arrow, box, drawing, plus, text, type Point } from "./svg.ts";

interface Step {
  readonly title: string;
  /** The tap of the step's output, empty if it has none; `{i}` is a block's number. */
  readonly tap: string;
  /** The shape in ViT-H/14 and XLM-RoBERTa-large; B images, T texts, L tokens. */
  readonly shape: string;
  /** The sum of a residual connection. */
  readonly isSum?: true;
}

interface TowerSteps {
  readonly title: string;
  readonly embed: readonly Step[];
  readonly blocks: { readonly title: string; readonly prefix: string; readonly steps: readonly Step[] };
  /** The steps of `blocks` that a residual connection passes by: first step, sum. */
  readonly residuals: readonly (readonly [from: number, to: number])[];
  readonly readOut: readonly Step[];
}

const resblock = "visual.transformer.resblocks.{i}";
const layer = "text.transformer.encoder.layer.{i}";

export const imageTower: TowerSteps = {
  title: "image tower: ViT-H/14",
  embed: [
    { title: "pixels", tap: "input.image", shape: "[B, 3, 224, 224]" },
    { title: "patches · filters", tap: "visual.conv1", shape: "[B, 1280, 16, 16]" },
    { title: "class token in front, + positions", tap: "visual#positioned", shape: "[B, 257, 1280]" },
    { title: "LayerNorm", tap: "visual.ln_pre", shape: "[B, 257, 1280]" },
  ],
  blocks: {
    title: "32 blocks, pre-norm",
    prefix: resblock,
    steps: [
      { title: "LayerNorm", tap: `${resblock}.ln_1`, shape: "[B, 257, 1280]" },
      { title: "attention, 16 heads", tap: `${resblock}.attn`, shape: "[B, 257, 1280]" },
      { title: "x + attn", tap: `${resblock}#after_attention`, shape: "[B, 257, 1280]", isSum: true },
      { title: "LayerNorm", tap: `${resblock}.ln_2`, shape: "[B, 257, 1280]" },
      { title: "MLP: 1280 → 5120, GELU, → 1280", tap: `${resblock}.mlp`, shape: "[B, 257, 1280]" },
      { title: "x + mlp", tap: resblock, shape: "[B, 257, 1280]", isSum: true },
    ],
  },
  residuals: [
    [0, 2],
    [3, 5],
  ],
  readOut: [
    { title: "LayerNorm", tap: "visual.ln_post", shape: "[B, 257, 1280]" },
    { title: "class token · proj", tap: "visual", shape: "[B, 1024]" },
    { title: "x / ‖x‖", tap: "image_features", shape: "[B, 1024]" },
  ],
};

export const textTower: TowerSteps = {
  title: "text tower: XLM-RoBERTa-large",
  embed: [
    { title: "token ids", tap: "input.text", shape: "[T, L]" },
    {
      title: "rows of the word table",
      tap: "text.transformer.embeddings.word_embeddings",
      shape: "[T, L, 1024]",
    },
    { title: "+ token type + positions", tap: "", shape: "[T, L, 1024]" },
    { title: "LayerNorm", tap: "text.transformer.embeddings", shape: "[T, L, 1024]" },
  ],
  blocks: {
    title: "24 layers, post-norm",
    prefix: layer,
    steps: [
      { title: "attention, 16 heads", tap: `${layer}.attention.output.dense`, shape: "[T, L, 1024]" },
      { title: "x + attn", tap: "", shape: "[T, L, 1024]", isSum: true },
      { title: "LayerNorm", tap: `${layer}.attention.output.LayerNorm`, shape: "[T, L, 1024]" },
      { title: "MLP: 1024 → 4096, GELU, → 1024", tap: `${layer}.output.dense`, shape: "[T, L, 1024]" },
      { title: "x + mlp", tap: "", shape: "[T, L, 1024]", isSum: true },
      { title: "LayerNorm", tap: `${layer}.output.LayerNorm`, shape: "[T, L, 1024]" },
    ],
  },
  residuals: [
    [0, 1],
    [3, 4],
  ],
  readOut: [
    { title: "mean over the tokens", tap: "text.pooler", shape: "[T, 1024]" },
    { title: "Linear, GELU, Linear", tap: "text.proj", shape: "[T, 1024]" },
    { title: "x / ‖x‖", tap: "text_features", shape: "[T, 1024]" },
  ],
};

export const logits: Step = {
  title: "exp(logit_scale) · image_features · text_featuresᵀ",
  tap: "logits_per_image",
  shape: "[B, T]",
};

const stepWidth = 400;
const stepHeight = 44;
const pitch = 64;
const top = 64;
/** Space between the parts of a tower. */
const partGap = 34;
const columns = [96, 570] as const;
const margin = 30;

export function forwardPassDiagram(): string {
  const width = columns[1] + stepWidth + 46;
  const towers = [imageTower, textTower].map((tower, i) => drawTower(tower, columns[i]!));
  const y = rowY(imageTower, "end");
  const logitsX = (columns[0] + columns[1] + stepWidth - 520) / 2;
  const [left, right] = columns.map((x) => x + stepWidth / 2);
  const join = [
    ...[left, right].map((x) => arrow({ x: x!, y: y - (pitch - stepHeight) }, { x: x!, y })),
    drawStep(logits, { x: logitsX, y }, 520, "accent"),
  ];
  const title = "The forward pass of CLIP ViT-H/14 with XLM-RoBERTa-large";
  return drawing(width, y + stepHeight + margin, title, [...partLabels(), ...towers.flat(), ...join]);
}

/** The top of a step: `part` and the step's number in it. */
function rowY(tower: TowerSteps, part: "embed" | "blocks" | "readOut" | "end", step = 0): number {
  const before = {
    embed: 0,
    blocks: tower.embed.length,
    readOut: tower.embed.length + tower.blocks.steps.length,
    end: tower.embed.length + tower.blocks.steps.length + tower.readOut.length,
  }[part];
  const gaps = { embed: 0, blocks: 1, readOut: 2, end: 2 }[part];
  return top + (before + step) * pitch + gaps * partGap;
}

/** The names of a tower's three parts, at the left edge. */
function partLabels(): string[] {
  const parts = [
    ["embed", imageTower.embed.length],
    ["blocks", imageTower.blocks.steps.length],
    ["readOut", imageTower.readOut.length - 1], // without the normalisation, which is not the tower's
  ] as const;
  return parts.map(([part, steps]) => {
    const y = rowY(imageTower, part) + ((steps - 1) * pitch + stepHeight) / 2;
    return `<g transform="rotate(-90 26 ${y})">${text({ x: 26, y }, part, { anchor: "middle", kind: "mono faint" })}</g>`;
  });
}

function drawTower(tower: TowerSteps, x: number): string[] {
  const { embed, blocks, readOut, residuals } = tower;
  const center = x + stepWidth / 2;
  const elements = [text({ x: center, y: 38 }, tower.title, { anchor: "middle", kind: "bold" })];
  const placed = [
    ...embed.map((step, i) => ({ step, y: rowY(tower, "embed", i) })),
    ...blocks.steps.map((step, i) => ({ step, y: rowY(tower, "blocks", i) })),
    ...readOut.map((step, i) => ({ step, y: rowY(tower, "readOut", i) })),
  ];

  const first = rowY(tower, "blocks");
  const height = (blocks.steps.length - 1) * pitch + stepHeight + 44;
  elements.push(box(x - 44, first - 32, stepWidth + 66, height, "group"));
  elements.push(text({ x: x - 34, y: first - 14 }, blocks.prefix, { kind: "mono small faint" }));
  elements.push(text({ x: center + 12, y: first - 14 }, blocks.title, { kind: "bold" }));

  for (const [i, { step, y }] of placed.entries()) {
    const next = placed[i + 1];
    if (next)
      elements.push(arrow({ x: center, y: bottomOf(step, y) }, { x: center, y: topOf(next.step, next.y) }));
    if (step.isSum) elements.push(...drawSum(step, { x: center, y: y + stepHeight / 2 }, x + stepWidth));
    else elements.push(drawStep(step, { x, y }, stepWidth, i === 0 ? "accent" : "box"));
  }
  for (const [from, to] of residuals) {
    const start = rowY(tower, "blocks", from) - 10;
    const end = rowY(tower, "blocks", to) + stepHeight / 2;
    const side = x - 20;
    elements.push(
      arrow({ x: center, y: start }, { x: side, y: start }, { x: side, y: end }, { x: center - 11, y: end }),
    );
  }
  return elements;
}

function topOf({ isSum }: Step, y: number): number {
  return isSum ? y + stepHeight / 2 - 11 : y;
}

function bottomOf({ isSum }: Step, y: number): number {
  return isSum ? y + stepHeight / 2 + 11 : y + stepHeight;
}

function drawStep({ title, tap, shape }: Step, { x, y }: Point, width: number, kind: string): string {
  const baseline = y + (tap === "" ? 28 : 19);
  const elements = [
    box(x, y, width, stepHeight, kind),
    text({ x: x + 12, y: baseline }, title),
    text({ x: x + width - 12, y: baseline }, shape, { anchor: "end", kind: "mono" }),
  ];
  if (tap !== "") elements.push(text({ x: x + 12, y: y + 36 }, shortened(tap), { kind: "mono faint" }));
  return elements.join("\n");
}

function drawSum({ title, tap, shape }: Step, center: Point, right: number): string[] {
  const elements = [
    plus(center),
    text({ x: center.x + 20, y: tap === "" ? center.y + 5 : center.y - 3 }, title),
    text({ x: right - 12, y: center.y + (tap === "" ? 5 : -3) }, shape, { anchor: "end", kind: "mono" }),
  ];
  if (tap !== "")
    elements.push(text({ x: center.x + 20, y: center.y + 14 }, shortened(tap), { kind: "mono faint" }));
  return elements;
}

/** Inside a group its prefix is left out, as in the tables of docs/architecture.md. */
function shortened(tap: string): string {
  for (const prefix of [resblock, layer]) {
    if (tap === prefix) return "the prefix itself";
    if (tap.startsWith(prefix)) return tap.slice(prefix.length);
  }
  return tap;
}
