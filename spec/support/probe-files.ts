/** Images and features for specs of probes. */
import { mkdir } from "node:fs/promises";
import { join } from "node:path";
import { writeFeatures } from "../../lib/node/features/features-files.ts";
import { writeImage } from "./images.ts";

const shadesOf = { blue: [0x0000ff, 0x2020e0, 0x1010a0], red: [0xff0000, 0xe02020, 0xa01010] };

/** Writes a folder for each colour, with three images of that colour. */
export async function writeColourFolders(folder: string): Promise<void> {
  for (const [name, shades] of Object.entries(shadesOf)) {
    await mkdir(join(folder, name), { recursive: true });
    for (const [i, shade] of shades.entries()) await writeImage(join(folder, name, `${i}.png`), shade);
  }
}

interface PointOptions {
  readonly metadata?: Record<string, string>;
  readonly classNames?: string[];
  /** Default: 2. */
  readonly width?: number;
  /** A row that starts with NaN. */
  readonly bad?: number;
}

/** Writes features of two classes that a plane separates. */
export async function writePoints(
  path: string,
  labels: number[] | null,
  { metadata = {}, classNames, width = 2, bad }: PointOptions = {},
): Promise<void> {
  const rows = labels?.length ?? 4;
  const values = Float32Array.from({ length: rows * width }, (_, i) =>
    i % width === 0 ? 4 * (labels?.[i / width] ?? 0) + Math.sin(i) : Math.cos(i),
  );
  if (bad !== undefined) values[bad * width] = NaN;
  await writeFeatures(path, {
    values,
    rows,
    width,
    labels,
    classNames: classNames ?? null,
    paths: null,
    metadata,
  });
}
