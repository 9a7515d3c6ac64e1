/**
 * `ftfy.fix_text` with its default configuration, which open_clip applies to every text.
 *
 * Source: ftfy 6.3.1, __init__.py (copyright 2023 Robyn Speer, Apache-2.0, https://github.com/rspeer/python-ftfy)
 */
import { unescapeSafeEntities } from "../html-entities.ts";
import { fixCharacters } from "./characters.ts";
import { fixC1Controls, fixEncoding } from "./fix-encoding.ts";
import { toNfc } from "./nfc.ts";

/** Longer lines are split, in code points. Source: ftfy, max_decode_length */
const maximumSegment = 1_000_000;

/** Repairs mojibake, HTML entities, widths, quotes, ligatures and control characters; the result is in NFC. */
export function fixText(text: string): string {
  let fixed = "";
  let isMarkup = false;
  for (const segment of segments(text)) {
    // A "<" marks the text as HTML, whose entities are left alone from this segment on.
    isMarkup ||= segment.includes("<");
    fixed += fixSegment(segment, !isMarkup);
  }
  return fixed;
}

function* segments(text: string): Generator<string> {
  for (const line of text.split(/(?<=\n)/)) {
    if (line.length <= maximumSegment) {
      yield line;
      continue;
    }
    const codePoints = Array.from(line);
    for (let start = 0; start < codePoints.length; start += maximumSegment) {
      yield codePoints.slice(start, start + maximumSegment).join("");
    }
  }
}

/** Repeats the repairs until nothing changes, because one repair may enable another. */
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
