/** Changes of JSON documents that keep them valid JSON. */
import type { Random } from "../demo-model/random.ts";
import { mutateBytes } from "./mutate-bytes.ts";
import type { Mutation } from "./target.ts";

/** Changes one value or key of a document; bytes that are not JSON are changed as bytes. */
export const mutateJson: Mutation = (input, random, other) => {
  const document = parse(input);
  if (document === undefined) return mutateBytes(input, random, other);
  return new TextEncoder().encode(JSON.stringify(changed(document.value, random, parse(other)?.value)));
};

/** Writes a key twice into some object, which JSON.stringify cannot do. */
export const duplicateKey: Mutation = (input, random, other) => {
  const text = new TextDecoder().decode(input);
  const keys = [...text.matchAll(/"[^"\\]{1,40}":/g)];
  if (keys.length === 0) return mutateBytes(input, random, other);
  const { index, 0: key } = random.pick(keys);
  return new TextEncoder().encode(`${text.slice(0, index)}${key}${hostileText(random)},${text.slice(index)}`);
};

function parse(bytes: Uint8Array): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(new TextDecoder().decode(bytes)) };
  } catch {
    return undefined;
  }
}

/** A copy of a value with one change at a random place. @param donor a document to take values from */
export function changed(value: unknown, random: Random, donor?: unknown): unknown {
  // Deep in the document as likely as at its root.
  const isBranch = typeof value === "object" && value !== null && Object.keys(value).length > 0;
  if (!isBranch || random.chance(0.15)) return replaced(value, random, donor);
  if (Array.isArray(value)) return changedArray(value, random, donor);
  return changedObject(value as Record<string, unknown>, random, donor);
}

function changedArray(value: readonly unknown[], random: Random, donor: unknown): unknown[] {
  const items = [...value];
  const at = random.below(items.length);
  const kind = random.below(8);
  if (kind === 0) items.splice(at, 1);
  else if (kind === 1) items.splice(at, 0, items[random.below(items.length)]);
  else if (kind === 2) items.length = at;
  else items[at] = changed(items[at], random, donor);
  return items;
}

function changedObject(
  value: Readonly<Record<string, unknown>>,
  random: Random,
  donor: unknown,
): Record<string, unknown> {
  const entries = Object.entries(value);
  const at = random.below(entries.length);
  const [key, inner] = entries[at]!;
  const kind = random.below(10);
  if (kind === 0) entries.splice(at, 1);
  else if (kind === 1) entries[at] = [hostileKey(random, entries), inner];
  else if (kind === 2) entries.push([hostileKey(random, entries), random.pick(entries)[1]]);
  else if (kind === 3) entries[at] = [key, random.pick(entries)[1]];
  else entries[at] = [key, changed(inner, random, donor)];
  return Object.fromEntries(entries);
}

function replaced(value: unknown, random: Random, donor: unknown): unknown {
  if (typeof value === "number" && random.chance(0.7)) {
    return random.pick([value + 1, value - 1, -value, value * 2, value / 2, 0, ...hostileNumbers]);
  }
  if (typeof value === "string" && random.chance(0.5)) return changedText(value, random);
  if (donor !== undefined && random.chance(0.2)) return anyPart(donor, random);
  return hostileValue(random);
}

const hostileNumbers = [
  0,
  -1,
  1,
  2,
  0.5,
  1e308,
  -1e308,
  5e-324,
  2 ** 31,
  2 ** 32,
  2 ** 53,
  2 ** 53 - 1,
  2 ** 64,
  1e21,
];

function hostileValue(random: Random): unknown {
  switch (random.below(8)) {
    case 0:
      return null;
    case 1:
      return random.chance(0.5);
    case 2:
      return [];
    case 3:
      return {};
    case 4:
      return nested(random.pick([3, 99, 101, 400]));
    case 5:
      return random.pick(hostileTexts);
    default:
      return random.pick(hostileNumbers);
  }
}

const hostileTexts = [
  "",
  " ",
  "\0",
  "a\nb",
  "\u001b[31mred",
  "\u2028",
  "\ud800",
  "猫",
  "😀",
  "__proto__",
  "constructor",
  "toString",
  "../../etc/passwd",
  "/dev/zero",
  "NaN",
  "x".repeat(5000),
];

function hostileText(random: Random): string {
  return JSON.stringify(random.pick(hostileTexts));
}

function hostileKey(random: Random, entries: readonly (readonly [string, unknown])[]): string {
  return random.chance(0.5) ? random.pick(hostileTexts) : changedText(random.pick(entries)[0], random);
}

function changedText(text: string, random: Random): string {
  const at = random.below(text.length + 1);
  const kind = random.below(4);
  if (kind === 0) return text.slice(0, at);
  if (kind === 1) return text.slice(0, at) + random.pick(hostileTexts) + text.slice(at);
  if (kind === 2) return text.slice(0, at) + String.fromCharCode(random.below(0x300)) + text.slice(at + 1);
  return text.repeat(2);
}

function nested(depth: number): unknown {
  let value: unknown = 1;
  for (let i = 0; i < depth; i++) value = i % 2 === 0 ? [value] : { a: value };
  return value;
}

/** A random part of a document. */
function anyPart(value: unknown, random: Random): unknown {
  let part = value;
  while (typeof part === "object" && part !== null && random.chance(0.8)) {
    const children: unknown[] = Object.values(part);
    if (children.length === 0) break;
    part = random.pick(children);
  }
  return part;
}
