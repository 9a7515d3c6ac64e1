/**
 * The samples of a WebDataset's shards: consecutive files of a tar with the same key.
 *
 * A file's key is its path up to the first dot of the base name; the rest is its suffix, in lower case. Which part is
 * the image depends on the suffix alone, not on the order in the tar.
 *
 * Source: webdataset/tariterators.py, base_plus_ext and group_by_keys; clip_benchmark/datasets/builder.py.
 */
import { InputError } from "../../errors/input-error.ts";
import type { FilePart } from "../../tasks/image-source.ts";
import type { DatasetFiles, TarMember } from "../dataset-files.ts";

/** In the order in which CLIP_benchmark looks for them. */
const imageSuffixes = ["webp", "png", "jpg", "jpeg"];

/** In bytes. The captions of an image, or the label of a multilabel image. */
const largestLabel = 2 ** 24;

/** An image, and the bytes of its label. */
export interface ShardSample {
  readonly image: FilePart;
  readonly label: FilePart;
  readonly bytes: Uint8Array;
}

interface Group {
  readonly key: string;
  readonly parts: Map<string, TarMember>;
}

/**
 * Reads the labels of all samples, and the places of their images.
 *
 * @param shards the paths of the tars, in order
 * @param suffix of the part with the label
 * @throws InputError if a shard is missing or damaged, or a sample lacks its image or label, or has a part twice
 */
export async function readShards(
  files: DatasetFiles,
  shards: readonly string[],
  suffix: string,
): Promise<ShardSample[]> {
  const samples: ShardSample[] = [];
  for (const shard of shards) {
    const parts = groupByKey(await files.tar(shard)).map((group) => pick(shard, group, suffix));
    const labels = await files.parts(
      parts.map(({ label }) => label),
      largestLabel,
    );
    for (const [i, part] of parts.entries()) samples.push({ ...part, bytes: labels[i]! });
  }
  if (samples.length > 0) return samples;
  throw new InputError(
    `${shards[0]}: expected at least one sample in the ${shards.length} shards, found none`,
  );
}

function groupByKey(members: readonly TarMember[]): Group[] {
  const groups: Group[] = [];
  for (const member of members) {
    const [, key, suffix] = /^((?:.*\/)?[^./]+)\.([^/]*)$/s.exec(member.path) ?? [];
    // Names like __meta__.json describe the shard.
    if (key === undefined || /^__[^/]*__($|\/)/.test(member.path)) continue;
    const last = groups.at(-1);
    const parts = last?.key === key ? last.parts : new Map<string, TarMember>();
    if (parts !== last?.parts) groups.push({ key, parts });
    const lower = suffix!.toLowerCase();
    if (parts.has(lower))
      throw new InputError(`${member.name}: the sample has two parts with the suffix .${lower}`);
    parts.set(lower, member);
  }
  return groups;
}

function pick(
  shard: string,
  { key, parts }: Group,
  suffix: string,
): { readonly image: FilePart; readonly label: FilePart } {
  const imageSuffix = imageSuffixes.find((known) => parts.has(known));
  const image = imageSuffix === undefined ? undefined : parts.get(imageSuffix);
  const label = parts.get(suffix);
  if (image !== undefined && label !== undefined) return { image: partOf(image), label: partOf(label) };
  const wanted = image === undefined ? imageSuffixes.map((known) => `.${known}`).join(", ") : `.${suffix}`;
  throw new InputError(
    `${shard}:${key}: expected a part with the suffix ${wanted}, found ${[...parts.keys()].map((of) => `.${of}`).join(", ")}; ` +
      "the parts of a sample must be next to each other in the tar",
  );
}

function partOf({ name, file, offset, size }: TarMember): FilePart {
  return { name, file, offset, size };
}
