/** All questions of the page. */
import type { Answer } from "./answer.ts";
import { attention, rollout } from "./calls/attention.ts";
import { causal, intervene, sweep } from "./calls/intervene.ts";
import { lens, patchLens, probeLens } from "./calls/lens.ts";
import { embed, match } from "./calls/match.ts";
import { differences } from "./calls/compare.ts";
import { verifyGolden } from "./calls/parity.ts";
import { acceptFeatures, embedTaps, embedText } from "./calls/embed.ts";
import { fitLinearProbe, predictByProbe } from "./calls/probe.ts";
import { image, joint, read, tensors, text } from "./calls/passes.ts";
import { similarities, stream, turns } from "./calls/stream.ts";
import { alignment, pooling, texts } from "./calls/texts.ts";
import { circuits, tensor, weights } from "./calls/weights.ts";
import { deletion, explain, explainText } from "./calls/why.ts";

export const answers = {
  image,
  text,
  joint,
  read,
  tensors,
  attention,
  rollout,
  embed,
  match,
  lens,
  patchLens,
  probeLens,
  differences,
  verifyGolden,
  embedTaps,
  embedText,
  acceptFeatures,
  fitLinearProbe,
  predictByProbe,
  stream,
  turns,
  similarities,
  texts,
  alignment,
  pooling,
  weights,
  circuits,
  tensor,
  sweep,
  intervene,
  causal,
  explain,
  deletion,
  explainText,
};

/** The parameters, the result and the updates of each question. */
export type Calls = {
  readonly [N in keyof typeof answers]: (typeof answers)[N] extends Answer<
    infer Params,
    infer Result,
    infer Update
  >
    ? { readonly params: Params; readonly result: Result; readonly update: Update }
    : never;
};

export type CallName = keyof Calls;
