/** Writes files as torch.save does, of any size, without Python: a pickle, and a stored zip member for each tensor. */
import { open, type FileHandle } from "node:fs/promises";
import { crc32 } from "../../lib/node/files/crc32.ts";

export interface Member {
  readonly name: string;
  readonly size: number;
  /** The bytes in pieces. */
  readonly pieces: () => Iterable<Uint8Array>;
}

/** Writes a zip with zip64 fields throughout, members stored, checksums behind them, as PyTorch's writer does. */
export async function writeZip64(path: string, members: readonly Member[]): Promise<void> {
  const file = await open(path, "w");
  try {
    let at = 0;
    const put = async (bytes: Uint8Array): Promise<void> => {
      await writeAll(file, bytes);
      at += bytes.length;
    };
    const directory: Buffer[] = [];
    for (const { name, size, pieces } of members) {
      const offset = at;
      const path = Buffer.from(name);
      const local = Buffer.alloc(30);
      local.writeUInt32LE(0x04034b50, 0);
      local.writeUInt16LE(45, 4);
      local.writeUInt16LE(8, 6); // the checksum and sizes follow the bytes
      local.writeUInt16LE(path.length, 26);
      await put(Buffer.concat([local, path]));
      let crc = 0;
      for (const piece of pieces()) {
        crc = crc32(piece, crc);
        await put(piece);
      }
      const descriptor = Buffer.alloc(24);
      descriptor.writeUInt32LE(0x08074b50, 0);
      descriptor.writeUInt32LE(crc, 4);
      descriptor.writeBigUInt64LE(BigInt(size), 8);
      descriptor.writeBigUInt64LE(BigInt(size), 16);
      await put(descriptor);

      const central = Buffer.alloc(46);
      central.writeUInt32LE(0x02014b50, 0);
      central.writeUInt16LE(45, 4);
      central.writeUInt16LE(45, 6);
      central.writeUInt16LE(8, 8);
      central.writeUInt32LE(crc, 16);
      central.fill(0xff, 20, 28); // sizes and offset are in the extra field
      central.writeUInt16LE(path.length, 28);
      central.writeUInt16LE(28, 30);
      central.fill(0xff, 42, 46);
      const extra = Buffer.alloc(28);
      extra.writeUInt16LE(1, 0);
      extra.writeUInt16LE(24, 2);
      extra.writeBigUInt64LE(BigInt(size), 4);
      extra.writeBigUInt64LE(BigInt(size), 12);
      extra.writeBigUInt64LE(BigInt(offset), 20);
      directory.push(central, path, extra);
    }
    const start = at;
    await put(Buffer.concat(directory));
    const end = Buffer.alloc(56 + 20 + 22);
    end.writeUInt32LE(0x06064b50, 0);
    end.writeBigUInt64LE(44n, 4);
    end.writeUInt16LE(45, 12);
    end.writeUInt16LE(45, 14);
    end.writeBigUInt64LE(BigInt(members.length), 24);
    end.writeBigUInt64LE(BigInt(members.length), 32);
    end.writeBigUInt64LE(BigInt(at - start), 40);
    end.writeBigUInt64LE(BigInt(start), 48);
    end.writeUInt32LE(0x07064b50, 56);
    end.writeBigUInt64LE(BigInt(at), 64);
    end.writeUInt32LE(1, 72);
    end.writeUInt32LE(0x06054b50, 76);
    end.fill(0xff, 84, 96);
    await put(end);
  } finally {
    await file.close();
  }
}

async function writeAll(file: FileHandle, bytes: Uint8Array): Promise<void> {
  for (let done = 0; done < bytes.length;) done += (await file.write(bytes, done)).bytesWritten;
}

/** A state dict of float32 tensors in torch.save's pickle: tensor i is the storage i. */
export function stateDictPickle(tensors: Iterable<readonly [string, readonly number[]]>): Uint8Array {
  const parts: (Uint8Array | string)[] = ["\x80\x02}("];
  let key = 0;
  for (const [name, shape] of tensors) {
    const count = shape.reduce((product, size) => product * size, 1);
    const strides = shape.map((_, i) => shape.slice(i + 1).reduce((product, size) => product * size, 1));
    parts.push(text(name), "ctorch._utils\n_rebuild_tensor_v2\n((", text("storage"));
    parts.push("ctorch\nFloatStorage\n", text(String(key++)), text("cpu"), integer(count), "tQ");
    parts.push(integer(0), "(", ...shape.map(integer), "t(", ...strides.map(integer), "t");
    parts.push("\x89ccollections\nOrderedDict\n)RtR");
  }
  parts.push("u.");
  return Buffer.concat(parts.map((part) => (typeof part === "string" ? Buffer.from(part, "latin1") : part)));
}

function text(value: string): Uint8Array {
  const bytes = Buffer.from(value);
  const head = Buffer.from([0x58, 0, 0, 0, 0]);
  head.writeUInt32LE(bytes.length, 1);
  return Buffer.concat([head, bytes]);
}

function integer(value: number): Uint8Array {
  const bytes = Buffer.from([0x4a, 0, 0, 0, 0]);
  bytes.writeInt32LE(value, 1);
  return bytes;
}

/** Arbitrary numbers, different for each tensor, and repeated to save time. */
const blockSize = 1024 * 1024;

/** Writes a float32 checkpoint with tensors of these names and shapes. */
export async function writeTorchCheckpoint(
  path: string,
  tensors: ReadonlyMap<string, readonly number[]>,
): Promise<void> {
  const pickle = stateDictPickle(tensors);
  const members: Member[] = [
    { name: "archive/data.pkl", size: pickle.length, pieces: () => [pickle] },
    { name: "archive/byteorder", size: 6, pieces: () => [Buffer.from("little")] },
  ];
  for (const [key, shape] of [...tensors.values()].entries()) {
    const size = 4 * shape.reduce((product, one) => product * one, 1);
    members.push({ name: `archive/data/${key}`, size, pieces: () => blocks(key, size) });
  }
  members.push({ name: "archive/version", size: 2, pieces: () => [Buffer.from("3\n")] });
  await writeZip64(path, members);
}

function* blocks(seed: number, size: number): Generator<Uint8Array> {
  const floats = new Float32Array(blockSize / 4);
  for (let i = 0; i < floats.length; i++) {
    const hash = Math.imul(i + 1 + seed * 7919, 0x9e3779b1) >>> 8;
    floats[i] = hash / 2 ** 23 - 1;
  }
  const block = new Uint8Array(floats.buffer);
  for (let at = 0; at < size; at += blockSize) yield block.subarray(0, Math.min(blockSize, size - at));
}
