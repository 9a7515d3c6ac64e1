/**
 * A CMYK JPEG, such as ImageNet's validation set contains. Its four channels are encoded as grayscale JPEGs, whose scans
 * are then put into one file: a JPEG may have a scan for each of its channels.
 *
 * Source: ITU-T T.81, annex B; Adobe's technical note 5116 for the APP14 marker
 */
import type { Raster } from "../../demo-model/generator.ts";
import { encodeJpeg } from "./codecs.ts";

const marker = { frame: 0xc0, huffman: 0xc4, start: 0xd8, end: 0xd9, scan: 0xda, quantizer: 0xdb };

/** A marker's code and content. */
interface Segment {
  readonly code: number;
  readonly content: Buffer;
}

/** Encodes an image as CMYK. As Adobe's programs do, the channels are stored inverted. */
export async function encodeCmykJpeg({ width, height, data }: Raster): Promise<Uint8Array> {
  const inks = Array.from({ length: 4 }, () => new Uint8ClampedArray(data.length).fill(255));
  for (let at = 0; at < data.length; at += 4) {
    const black = 255 - Math.max(data[at]!, data[at + 1]!, data[at + 2]!);
    const ink = (channel: number): number => 255 - data[at + channel]! - black;
    for (const [i, value] of [ink(0), ink(1), ink(2), black].entries()) {
      inks[i]!.fill(255 - value, at, at + 3);
    }
  }
  const channels: Segment[][] = [];
  for (const ink of inks) {
    channels.push(segmentsOf(Buffer.from(await encodeJpeg({ width, height, data: ink }, "gray"))));
  }
  const quantizer = channels[0]!.find(({ code }) => code === marker.quantizer)!;
  const frame = Buffer.from(channels[0]!.find(({ code }) => code === marker.frame)!.content);
  const parts = [
    Buffer.from([0xff, marker.start]),
    segment(0xee, adobe),
    segment(quantizer.code, quantizer.content),
  ];
  // Precision, height and width stay; then the channels: number, sampling 1×1, table of the quantizer.
  const components = [1, 2, 3, 4].flatMap((id) => [id, 0x11, 0]);
  parts.push(segment(marker.frame, Buffer.concat([frame.subarray(0, 5), Buffer.from([4, ...components])])));
  for (const [i, segments] of channels.entries()) {
    for (const { code, content } of segments) {
      if (code === marker.huffman) parts.push(segment(code, content));
      if (code !== marker.scan) continue;
      const header = Buffer.from(content.subarray(0, 6));
      header[1] = i + 1; // the channel
      parts.push(segment(code, header), content.subarray(6));
    }
  }
  return Buffer.concat([...parts, Buffer.from([0xff, marker.end])]);
}

/** Version 100, no flags, channels as they are. */
const adobe = Buffer.from([...Buffer.from("Adobe"), 0, 100, 0, 0, 0, 0, 0]);

/** The segments of a JPEG with one scan. That of the scan includes its data. */
function segmentsOf(jpeg: Buffer): Segment[] {
  const segments: Segment[] = [];
  for (let at = 2; ;) {
    const code = jpeg[at + 1]!;
    const isScan = code === marker.scan;
    const end = isScan ? jpeg.length - 2 : at + 2 + jpeg.readUInt16BE(at + 2);
    segments.push({ code, content: jpeg.subarray(at + 4, end) });
    if (isScan) return segments;
    at = end;
  }
}

function segment(code: number, content: Buffer): Buffer {
  const head = Buffer.from([0xff, code, 0, 0]);
  head.writeUInt16BE(content.length + 2, 2);
  return Buffer.concat([head, content]);
}
