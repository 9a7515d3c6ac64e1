/** Small training runs of the demo model. */
import { writeFileSync } from "node:fs";
import { fixture } from "./paths.ts";

const captions: readonly (readonly [file: string, caption: string])[] = [
  ["two-red-circles.png", "two red circles"],
  ["orange-heart.jpg", "an orange heart"],
  ["small-yellow-triangle.png", "a small yellow triangle"],
  ["four-purple-squares.jpg", "four purple squares"],
  ["two-red-circles.png", "zwei rote Kreise"],
  ["orange-heart.jpg", "ein oranges Herz"],
];

/** Writes a table of six pairs, or the first of them. */
export function writePairs(path: string, count = captions.length): void {
  const lines = captions
    .slice(0, count)
    .map(([file, caption]) => `${fixture(`demo-model/samples/${file}`)},"${caption}"\n`);
  writeFileSync(path, `filepath,title\n${lines.join("")}`);
}

/** Writes a table of so many pairs, with captions of 4 to 24 words. */
export function writeManyPairs(path: string, count: number): void {
  const words = captions.flatMap(([, caption]) => caption.split(" "));
  const lines = Array.from({ length: count }, (_, i) => {
    const [file] = captions[i % captions.length]!;
    const caption = Array.from({ length: 4 + (i % 21) }, (_, j) => words[(i * 7 + j) % words.length]).join(
      " ",
    );
    return `${fixture(`demo-model/samples/${file}`)},"${caption} ${i}"\n`;
  });
  writeFileSync(path, `filepath,title\n${lines.join("")}`);
}

/** Options by their names; null leaves a default of `trainArguments` out. */
export type Options = Readonly<Record<string, string | true | null>>;

/** The arguments of a short run: six pairs in batches of two. */
export function trainArguments(pairs: string, logs: string, options: Options = {}): string[] {
  const all: Options = {
    backend: "wasm",
    "train-data": pairs,
    "csv-separator": ",",
    "batch-size": "2",
    epochs: "2",
    warmup: "1",
    lr: "1e-4",
    workers: "1",
    logs,
    name: "run",
    ...options,
  };
  return [
    "train",
    ...Object.entries(all).flatMap(([name, value]) =>
      value === null ? [] : value === true ? [`--${name}`] : [`--${name}`, value],
    ),
  ];
}
