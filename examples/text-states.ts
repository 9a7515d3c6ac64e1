/**
 * The text tower's state of each token, as used for conditioning image generators.
 *
 *     node dist/examples/text-states.js "tre stelle rosse" [--model DIR]
 *
 * Prints each piece with the norm of its last hidden state; `textStates` gives the states themselves.
 */
import { parseArgs } from "node:util";
import { demoModel, loadModel, withTaps, type Clip } from "../lib/index.ts";
import { readTap } from "../lib/tensor/index.ts";

export interface TextStates {
  /** The text's pieces, including `<s>` and `</s>`. */
  readonly pieces: readonly string[];
  /** [pieces, width], row by row. */
  readonly states: Float32Array;
  readonly width: number;
}

/** The last hidden state of every token of a text: the tap `text.transformer`. */
export async function textStates(model: Clip, text: string): Promise<TextStates> {
  const tokenizer = await model.tokenizer();
  const { pieces, ids } = tokenizer.tokenize(text);
  let states = new Float32Array();
  let width = 0;
  await withTaps(
    async (name, value) => {
      if (name !== "text.transformer") return;
      width = value.shape[2]!;
      states = new Float32Array(await readTap(value));
    },
    async () => {
      (await model.encodeTokens([ids])).dispose();
    },
  );
  return { pieces, states, width };
}

async function main(): Promise<void> {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: { model: { type: "string", default: demoModel } },
  });
  const [text] = positionals;
  if (text === undefined) {
    console.error('usage: text-states.js "text" [--model DIR]');
    process.exitCode = 2;
    return;
  }
  const model = await loadModel(values.model);
  const { pieces, states, width } = await textStates(model, text);
  await model.dispose();
  console.log(`${pieces.length} tokens × ${width}`);
  for (const [i, piece] of pieces.entries()) {
    console.log(
      `${piece.padEnd(16)} ‖state‖ ${Math.hypot(...states.subarray(i * width, (i + 1) * width)).toFixed(3)}`,
    );
  }
}

if (process.argv[1]?.endsWith("text-states.js")) await main();
