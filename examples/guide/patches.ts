/**
 * Chapter 2 of docs/guide: from pixels to tokens. The patch embedding is computed a second time with a plain loop.
 *
 *     node dist/examples/guide/patches.js
 */
import { readImages } from "../../lib/index.ts";
import { image, lookInside, printTable } from "./inside.ts";

const [patchRow, patchColumn] = [2, 3];

const { model, rows, shape, weight } = await lookInside();
const size = model.config.vision.patchSize[0];
const columns = model.config.vision.imageSize[1] / size;
const token = 1 + patchRow * columns + patchColumn; // token 0 is the class token

for (const tap of ["visual.conv1", "visual#positioned", "visual.ln_pre"]) {
  console.log(`${tap.padEnd(18)} [${shape(tap).join(", ")}]`);
}

const [pixels] = (await readImages([image], model.preprocess)).arraySync(); // [3, height, width]
const filters = (await weight("visual.conv1.weight")).flat(); // [channels, 3, size, size]
const positions = await weight("visual.positional_embedding"); // [tokens, channels]
const positioned = rows("visual#positioned"); // [tokens, channels]

console.log(`\nthe patch in row ${patchRow}, column ${patchColumn} is token ${token}`);
const lines = [0, 1, 2, 3].map((channel) => {
  const embedded = patchTimesFilter(channel);
  const position = positions[token]![channel]!;
  return [`channel ${channel}`, embedded, position, positioned[token]![channel]!];
});
await model.dispose();
printTable([["", "patch · filter", "position", "visual#positioned"], ...lines]);

/** The sum of 3 · size · size products. */
function patchTimesFilter(channel: number): number {
  let sum = 0;
  for (let colour = 0; colour < 3; colour++) {
    for (let y = 0; y < size; y++) {
      for (let x = 0; x < size; x++) {
        const pixel = pixels![colour]![patchRow * size + y]![patchColumn * size + x]!;
        sum += pixel * filters[((channel * 3 + colour) * size + y) * size + x]!;
      }
    }
  }
  return sum;
}
