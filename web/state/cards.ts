/** The taps of a pass as cards: the parts of each tower in the order of the computation. */

export type Tower = "image" | "text" | "joint";

export interface Card {
  readonly id: string;
  readonly tower: Tower;
  readonly title: string;
  readonly kind: "input" | "embed" | "block" | "read-out" | "similarity";
  /** The number of a block; null for other parts. */
  readonly block: number | null;
  /** In the order of the computation. */
  readonly taps: readonly string[];
  /** The tap that stands for the card: the value that leaves it. */
  readonly main: string;
}

/** Every tap is in one card. */
export function cardsOf(taps: readonly string[]): Card[] {
  const groups = new Map<string, string[]>();
  for (const tap of taps) {
    const id = groupOf(tap);
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [tap]);
    else group.push(tap);
  }
  return [...groups].map(([id, names]) => toCard(id, names));
}

function groupOf(tap: string): string {
  const tower = towerOf(tap);
  if (tower === "joint") return "joint similarity";
  if (tap.startsWith("input.")) return `${tower} input`;
  const block = /(?:resblocks|layer)\.(\d+)(?=[.#]|$)/.exec(tap);
  if (block) return `${tower} block ${block[1]!}`;
  const embeds = /^visual(\.conv1|#positioned|\.ln_pre)|embedding/.test(tap);
  return `${tower} ${embeds ? "embed" : "read-out"}`;
}

export function towerOf(tap: string): Tower {
  if (tap === "logits_per_image") return "joint";
  return /^(visual|image_features|input\.image)/.test(tap) ? "image" : "text";
}

const titles = {
  image: { input: "Image", embed: "Patch embedding", "read-out": "Read-out" },
  text: { input: "Tokens", embed: "Embeddings", "read-out": "Pooling and projection" },
} as const;

function toCard(id: string, taps: readonly string[]): Card {
  const [tower, kind, number] = id.split(" ") as [Tower, Card["kind"], string?];
  const block = number === undefined ? null : Number(number);
  const main = taps.at(-1)!;
  const shared = { id, tower, kind, block, taps, main };
  if (tower === "joint") return { ...shared, title: "Similarity" };
  if (block !== null) return { ...shared, title: `${tower === "image" ? "Block" : "Layer"} ${block}` };
  return { ...shared, title: titles[tower][kind as "input" | "embed" | "read-out"] };
}

/** A tap's name without what its card already says: ".attn#probabilities" → "attn#probabilities". */
export function shortTap(tap: string, { taps }: Card): string {
  const block = /^.*(?:resblocks|layer)\.\d+(?=[.#]|$)/.exec(tap)?.[0];
  if (block === undefined || taps.length === 1) return tap;
  const rest = tap.slice(block.length).replace(/^\./, "");
  return rest === "" ? "output" : rest;
}
