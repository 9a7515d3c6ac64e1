/**
 * Chapter 4 of docs/guide: the text tower token by token, and the mean that reduces the tokens to one vector.
 *
 *     node dist/examples/guide/text-tower.js
 */
import { lookInside, printTable, sentence } from "./inside.ts";

const { model, rows, shape } = await lookInside();
const { pieces, ids } = (await model.tokenizer()).tokenize(sentence);

for (const tap of ["text.transformer.embeddings", "text.transformer", "text.pooler", "text"]) {
  console.log(`${tap.padEnd(27)} [${shape(tap).join(", ")}]`);
}

console.log("\nwhat layer 0 adds to each token, and the norm that follows");
const layer = "text.transformer.encoder.layer.0";
const before = rows("text.transformer.embeddings");
const added = rows(`${layer}.attention.output.dense`);
const after = rows(`${layer}.attention.output.LayerNorm`);
printTable([
  ["token", "id", "‖x‖", "‖attention‖", "‖x + attention‖", "‖LayerNorm‖"],
  ...pieces.map((piece, token) => {
    const total = before[token]!.map((v, c) => v + added[token]![c]!);
    const norms = [before[token]!, added[token]!, total, after[token]!].map((v) => Math.hypot(...v));
    return [piece, String(ids[token]), ...norms];
  }),
]);

console.log("\nthe last layer's output, channels 0 to 2, and text.pooler");
const states = rows("text.transformer");
await model.dispose();
printTable([
  ["token", "0", "1", "2"],
  ...pieces.map((piece, token) => [piece, ...states[token]!.slice(0, 3)]),
  ["text.pooler", ...rows("text.pooler")[0]!.slice(0, 3)],
]);
