/** Tars and the WebDataset samples in them: headers with their checksums. */
import { writeFileSync } from "node:fs";
import { join as joinPath } from "node:path";
import { InputError } from "../../../lib/errors/input-error.ts";
import { readShard } from "../../../lib/node/images/webdataset.ts";
import type { Random } from "../../demo-model/random.ts";
import { readFixtures } from "../fixtures.ts";
import { concat, mutateBytes } from "../mutate-bytes.ts";
import { partMutation } from "../parts.ts";
import type { CreateTarget } from "../target.ts";

const blockSize = 512;

interface Member {
  readonly header: Uint8Array;
  readonly data: Uint8Array;
}

function split(tar: Uint8Array): Member[] {
  const members: Member[] = [];
  for (let at = 0; at + blockSize <= tar.length;) {
    const header = tar.subarray(at, at + blockSize);
    const size = parseInt(Buffer.from(header.subarray(124, 136)).toString("latin1"), 8) || 0;
    members.push({ header, data: tar.subarray(at + blockSize, at + blockSize + size) });
    at += blockSize * (1 + Math.ceil(size / blockSize));
  }
  return members;
}

function join(members: readonly Member[]): Uint8Array {
  return concat(
    ...members.flatMap(({ header, data }) => [
      withChecksum(header),
      data,
      new Uint8Array(-data.length & (blockSize - 1)),
    ]),
  );
}

function withChecksum(header: Uint8Array): Uint8Array {
  if (header.every((byte) => byte === 0)) return header;
  const output = header.slice();
  output.fill(0x20, 148, 156);
  const sum = output.reduce((total, byte) => total + byte, 0);
  output.set(Buffer.from(`${sum.toString(8).padStart(6, "0")}\0 `), 148);
  return output;
}

/** [start, end) of name, mode, size, time, type, link, magic, prefix. */
const fields: readonly (readonly [number, number])[] = [
  [0, 100],
  [100, 108],
  [124, 136],
  [136, 148],
  [156, 157],
  [157, 257],
  [257, 265],
  [345, 500],
];

const contents = [
  "",
  "a.cls",
  "../../x.jpg",
  "a\nb.png",
  "\xff\xff\xff\xff",
  "00000000001",
  "77777777777",
  "-1",
  "L",
  "x",
  "g",
  "5",
];

function change({ header, data }: Member, random: Random, donor: Member): Member {
  if (data.length > 0 && random.chance(0.4)) {
    const changed = random.chance(0.3) ? paxRecords(random) : mutateBytes(data, random, donor.data);
    const output = header.slice();
    output.set(Buffer.from(changed.length.toString(8).padStart(11, "0")), 124);
    return { header: output, data: changed };
  }
  const [start, end] = random.pick(fields);
  const output = header.slice();
  if (random.chance(0.5)) {
    output.fill(0, start, end);
    output.set(Buffer.from(random.pick(contents), "latin1").subarray(0, end - start), start);
  } else
    output.set(mutateBytes(output.slice(start, end), random, donor.header).subarray(0, end - start), start);
  return { header: output, data };
}

/** Extended headers: "LENGTH KEY=VALUE\n". */
function paxRecords(random: Random): Uint8Array {
  const key = random.pick(["path", "size", "mtime", "linkpath", "GNU.sparse.major", "__proto__", ""]);
  const value = random.pick([
    "",
    "a.jpg",
    "-1",
    "1e9",
    "99999999999999999999",
    "NaN",
    "512",
    "\0",
    "\n",
    "x".repeat(200),
  ]);
  const length = random.chance(0.8) ? key.length + value.length + 5 : random.below(1000);
  return new TextEncoder().encode(`${length} ${key}=${value}\n`);
}

export const create: CreateTarget = (folder) => {
  const path = joinPath(folder, "shard.tar");
  return {
    seeds: readFixtures("shards", /\.tar$/, 40_000),
    mutations: [partMutation({ split, join, change })],
    async run(input) {
      writeFileSync(path, input);
      let errors = 0;
      let samples = 0;
      const found = readShard(path, (error) => {
        if (!(error instanceof InputError) || /\p{Cc}/u.test(error.message)) throw error;
        errors += 1;
      });
      for await (const { image } of found) {
        if (image.offset + image.size > input.length) throw new Error("an image beyond the end of the tar");
        samples += 1;
      }
      return `${Math.min(samples, 2)} samples, ${Math.min(errors, 1)} errors`;
    },
    maxSize: 40_000,
  };
};
