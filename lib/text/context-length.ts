import { InputError } from "../errors/input-error.ts";

/** @throws InputError where the context leaves no room for the two ids that every text has */
export function checkContextLength(contextLength: number): void {
  if (!Number.isInteger(contextLength) || contextLength < 2) {
    throw new InputError(
      `expected a context length of 2 or more, found ${contextLength}; set text_cfg.context_length in open_clip_config.json`,
    );
  }
}
