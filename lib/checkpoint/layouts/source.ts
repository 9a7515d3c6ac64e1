/** What the layouts of Hugging Face's models have in common. */
import type { JsonValue } from "../../json/json-value.ts";

/** The small files of a model directory of another project. */
export interface LayoutFiles {
  /** `config.json` */
  readonly config: JsonValue;
  /** `preprocessor_config.json`; undefined if it is missing. */
  readonly preprocessor: JsonValue | undefined;
}

/** Buffers that old files hold: the numbers 0, 1, 2, … */
export const positionIds = /\.(position_ids|token_type_ids)$/;

/** The config of one tower. Old files repeat it as `…_config_dict`, which wins in transformers, too. */
export function nestedConfig(config: JsonValue, tower: "vision" | "text"): JsonValue {
  const repeated = config.at(`${tower}_config_dict`);
  return repeated.isMissing ? config.at(`${tower}_config`).or({}) : repeated;
}
