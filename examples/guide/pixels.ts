/**
 * Chapter 1 of docs/guide: from the bytes of an image file to the network's input.
 *
 *     node dist/examples/guide/pixels.js
 */
import { readFile } from "node:fs/promises";
import { decodeImage } from "../../lib/image/decode.ts";
import { transform, transformPixels } from "../../lib/image/transform.ts";
import { demoModel, loadModel } from "../../lib/index.ts";
import { nodeCodecs } from "../../lib/node/images/codecs.ts";
import { image, printTable } from "./inside.ts";

const [row, column] = [42, 42];

const model = await loadModel(demoModel);
const { preprocess } = model;
const [height, width] = preprocess.size;
const decoded = await decodeImage(await readFile(image), image, nodeCodecs());
const bytes = transformPixels(decoded, preprocess); // [height, width, 3]
const input = transform(decoded, preprocess); // [3, height, width]
await model.dispose();

console.log(`decoded              ${decoded.width} × ${decoded.height} pixels`);
console.log(`resized and cropped  ${width} × ${height} pixels, ${bytes.length} bytes`);
console.log(`input.image          [1, 3, ${height}, ${width}], ${input.length} numbers\n`);

console.log(`the pixel in row ${row}, column ${column}`);
const channels = ["red", "green", "blue"].map((name, channel) => {
  const byte = bytes[(row * width + column) * 3 + channel]!;
  const value = input[channel * height * width + row * width + column]!;
  return [name, String(byte), byte / 255, preprocess.mean[channel]!, preprocess.std[channel]!, value];
});
printTable([["channel", "byte", "byte / 255", "mean", "std", "input"], ...channels]);
