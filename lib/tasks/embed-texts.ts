/** Converts texts to embeddings, or to the output of any layer of the text tower. */
import { gatherND, reshape, sum, mul, tensor2d, tensor3d } from "@tensorflow/tfjs-core";
import type { Tensor, Tensor2D, Tensor3D } from "@tensorflow/tfjs-core";
import type { Clip } from "../clip/clip.ts";
import { assertModel } from "../clip/inputs.ts";
import { assertChoice, assertOptions, assertSwitch, assertTextList } from "../errors/arguments.ts";
import { InputError } from "../errors/input-error.ts";
import { poolings, runTapped, type Pooling } from "./tapped.ts";

/** The tap of the whole text tower: the embedding. */
export const textTap = "text";

/** Options of `embedTextTaps`. */
export interface EmbedTextsOptions {
  /** Divide each embedding by its L2 norm. Default: false. */
  readonly normalize?: boolean;
  /**
   * For taps with a vector for each token: the vector of the token that the tower reads out (`<s>`; in the English
   * models the end of text), or the mean over all tokens of the text. Default: `class`.
   */
  readonly pool?: Pooling;
}

/**
 * Takes several taps of one batch of texts.
 *
 * @param taps modules of the text tower, each once; `text` is the embedding
 * @returns [texts, width] of each tap; the caller disposes them
 * @throws InputError for an empty list of texts, a model without a tokenizer, or an unknown tap
 */
export async function embedTextTaps(
  model: Clip,
  texts: readonly string[],
  taps: readonly string[],
  options: EmbedTextsOptions = {},
): Promise<Tensor2D[]> {
  assertModel(model, "embedTextTaps");
  assertTextList(texts, "texts", "embedTextTaps");
  assertTextList(taps, "taps", "embedTextTaps");
  assertOptions(options, ["normalize", "pool"], "embedTextTaps");
  const { normalize = false, pool = "class" } = options;
  assertSwitch(normalize, "embedTextTaps: normalize");
  assertChoice(pool, poolings, "embedTextTaps: pool");
  const tokenizer = await model.tokenizer();
  const rows = texts.map((text) => tokenizer.encode(text));
  const tokens = rows.map((row) => ({
    isToken: model.text.isToken(row),
    readOutPosition: model.text.readOutPosition(row),
  }));
  return runTapped({
    taps,
    embedding: textTap,
    normalize,
    vectorOf: (name, value) => onePerText(name, value, tokens, pool),
    // All in one batch, so that a tap's rows are the texts in their order.
    run: (options) => model.encodeTokens(rows, { ...options, batchSize: Math.max(1, rows.length) }),
  });
}

interface TextTokens {
  readonly isToken: readonly boolean[];
  readonly readOutPosition: number;
}

/** A vector for each text: [B, D] unchanged; of [B, L, D] one token's vector, or the mean over the tokens. */
function onePerText(name: string, value: Tensor, tokens: readonly TextTokens[], pool: Pooling): Tensor2D {
  if (value.rank === 2) return value as Tensor2D;
  const [batch = 0, length = 0, width = 0] = value.shape;
  if (value.rank !== 3 || batch !== tokens.length) {
    throw new InputError(
      `the tap "${name}" has the shape [${value.shape}]: expected a vector for each token; choose another tap`,
    );
  }
  if (pool === "class") {
    const indices = tokens.map(({ readOutPosition }, row) => [row, readOutPosition]);
    return gatherND(value, tensor2d(indices, [batch, 2], "int32")) as Tensor2D;
  }
  const weights = Float32Array.from({ length: batch * length }, (_, i) => {
    const { isToken } = tokens[Math.floor(i / length)]!;
    return isToken[i % length] === true ? 1 / isToken.filter(Boolean).length : 0;
  });
  const weighted = mul<Tensor3D>(value, tensor3d(weights, [batch, length, 1]));
  return reshape(sum(weighted, 1), [batch, width]);
}
