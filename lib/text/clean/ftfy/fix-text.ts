/**
 * `ftfy.fix_text` of ftfy 6.3.1 with its default configuration, which open_clip runs over every text.
 *
 * Rewritten after ftfy's `__init__.py`, copyright 2023 Robyn Speer, Apache-2.0,
 * https://github.com/rspeer/python-ftfy.
 */
import { unescapeSafeEntities } from "../html-entities.ts";
import { fixCharacters } from "./characters.ts";
import { fixC1Controls, fixEncoding } from "./fix-encoding.ts";
import { toNfc } from "./nfc.ts";

/** Segments are lines, cut where they grow longer than this many code points (ftfy's max_decode_length). */
const MAX_SEGMENT = 1_000_000;

/** The text with mojibake, entities, widths, quotes, ligatures and controls put right, in NFC. */
export function fixText(text: string): string {
  let fixed = "";
  let isMarkup = false;
  for (const segment of segments(text)) {
    // A "<" means that the text is HTML, whose entities are meant; from there on, in all further segments.
    isMarkup ||= segment.includes("<");
    fixed += fixSegment(segment, !isMarkup);
  }
  return fixed;
}

function* segments(text: string): Generator<string> {
  for (const line of text.split(/(?<=\n)/)) {
    if (line.length <= MAX_SEGMENT) {
      yield line;
      continue;
    }
    const codePoints = Array.from(line);
    for (let start = 0; start < codePoints.length; start += MAX_SEGMENT) {
      yield codePoints.slice(start, start + MAX_SEGMENT).join("");
    }
  }
}

/** Repeats all repairs until they find nothing more: one may uncover what another can mend. */
function fixSegment(segment: string, unescapes: boolean): string {
  let current = segment;
  for (;;) {
    let fixed = unescapes ? unescapeSafeEntities(current) : current;
    fixed = fixEncoding(fixed);
    fixed = fixC1Controls(fixed);
    fixed = toNfc(fixCharacters(fixed));
    if (fixed === current) return fixed;
    current = fixed;
  }
}
