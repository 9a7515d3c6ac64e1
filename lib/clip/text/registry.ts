/**
 * The text towers by the `kind` of their config. To add one, write its tower, its config (the type in
 * config/clip-config.ts, the parser in config/open-clip.ts), and a line here.
 */
import type { WeightScope } from "../../tensor/model-weights.ts";
import type { ClipConfig, TextConfig } from "../config/clip-config.ts";
import { BertTextTower } from "./bert/bert-text-tower.ts";
import { ClipTextTower } from "./clip/clip-text-tower.ts";
import type { TextTower } from "./tower.ts";
import { XlmRobertaTextTower } from "./xlm-roberta/xlm-roberta-text-tower.ts";

/** @param root the scope of the whole state dict */
type Build<Config extends TextConfig> = (root: WeightScope, text: Config, clip: ClipConfig) => TextTower;

const builders: { readonly [Kind in TextConfig["kind"]]: Build<Extract<TextConfig, { kind: Kind }>> } = {
  "xlm-roberta": (root, text, { embedDim }) => new XlmRobertaTextTower(root.at("text"), text, embedDim),
  bert: (root, text, { embedDim }) => new BertTextTower(root.at("text"), text, embedDim),
  clip: (root, text, clip) => new ClipTextTower(text.prefix === "" ? root : root.at(text.prefix), text, clip),
};

/** The text tower of a model. */
export function textTower(root: WeightScope, config: ClipConfig): TextTower {
  const build = builders[config.text.kind] as Build<TextConfig>;
  return build(root, config.text, config);
}
