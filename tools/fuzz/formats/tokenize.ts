/** Creates a tokenizer from a file and uses it. */
import { createTokenizer } from "../../../lib/text/create-tokenizer.ts";

const texts = [
  "Il gatto ﬁ Å´\u0301 猫 e\u0301 <mask> ½",
  "",
  " \t",
  "a</s>b",
  "\ud800\udfff\ud800",
  "x".repeat(300),
];
const contextLength = 16;

export async function useTokenizer(name: string, bytes: Uint8Array): Promise<string> {
  const tokenizer = await createTokenizer({ name, bytes }, { contextLength });
  for (const text of texts) {
    const { ids, pieces } = tokenizer.tokenize(text);
    if (ids.join() !== tokenizer.encode(text).join()) throw new Error("encode and tokenize differ");
    if (ids.length > contextLength || pieces.length !== ids.length)
      throw new Error(`${ids.length} ids, ${pieces.length} pieces`);
    if (!ids.every((id) => Number.isInteger(id) && id >= 0 && id < tokenizer.vocabSize)) {
      throw new Error(`ids [${ids.join(", ")}] of a vocabulary of ${tokenizer.vocabSize}`);
    }
  }
  return "a tokenizer";
}
