/**
 * BERT as the text tower: XLM-RoBERTa's modules under the same names, with positions that are counted from 0.
 *
 *     x = LayerNorm(word[id] + token_type[0] + position[column])
 *
 * Paper: Devlin et al., "BERT: Pre-training of Deep Bidirectional Transformers", 2019 (arXiv 1810.04805).
 * Source: open_clip/hf_model.py, HFTextEncoder; transformers/models/bert, BertModel. State dict: as
 * xlm-roberta/xlm-roberta-text-tower.ts.
 */
import type { WeightScope } from "../../../tensor/model-weights.ts";
import type { BertTextConfig } from "../../config/clip-config.ts";
import { positionsFromZero } from "../xlm-roberta/positions.ts";
import { XlmRobertaTextTower } from "../xlm-roberta/xlm-roberta-text-tower.ts";

export class BertTextTower extends XlmRobertaTextTower {
  constructor(scope: WeightScope, config: BertTextConfig, embedDim: number) {
    super(scope, config, embedDim, positionsFromZero);
  }
}
