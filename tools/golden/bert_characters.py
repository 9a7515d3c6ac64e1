"""Writes lib/text/wordpiece/hugging-face-characters.ts: the marks, punctuation and controls of Hugging Face's BERT.

    python tools/golden/bert_characters.py lib/text/wordpiece/hugging-face-characters.ts

The package tokenizers is asked about every character between two letters.
"""

import sys
import textwrap
import unicodedata
from pathlib import Path

from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

HEAD = '''/**
 * The characters that Hugging Face's BERT treats as marks, punctuation and controls. Its tables are older than the
 * Unicode of JavaScript's regular expressions: later characters of these categories belong to words there.
 *
 * Written by tools/golden/bert_characters.py, which asks tokenizers 0.23.2 about every character.
 */

/** Ranges of code points in hexadecimal, as a regular expression. */
function pattern(ranges: string): RegExp {
  const items = ranges.trim().split(/\\s+/);
  const escaped = items.map((range) => range.replace(/[0-9a-f]+/g, "\\\\u{$&}"));
  return new RegExp(`[${escaped.join("")}]`, "gu");
}
'''


def ranges(characters: list[str]) -> str:
    found: list[list[int]] = []
    for code in map(ord, characters):
        if found and found[-1][1] == code - 1:
            found[-1][1] = code
        else:
            found.append([code, code])
    return "\n".join(textwrap.wrap(" ".join(f"{a:x}" if a == b else f"{a:x}-{b:x}" for a, b in found), 108))


def main() -> None:
    clean = BertNormalizer(clean_text=True, handle_chinese_chars=False, strip_accents=False, lowercase=False)
    strip = BertNormalizer(clean_text=False, handle_chinese_chars=False, strip_accents=True, lowercase=False)
    split = BertPreTokenizer()
    characters = [chr(code) for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    tables = {
        "Removed from texts that are stripped of accents.|marks": [
            c
            for c in characters
            if unicodedata.normalize("NFD", c) == c and strip.normalize_str(f"a{c}b") == "ab"
        ],
        "A word of its own, each.|punctuation": [c for c in characters if len(split.pre_tokenize_str(f"a{c}b")) == 3],
        "Removed when texts are cleaned.|controls": [c for c in characters if clean.normalize_str(f"a{c}b") == "ab"],
    }
    blocks = []
    for title, found in tables.items():
        comment, name = title.split("|")
        blocks.append(f"/** {comment} */\nexport const {name} = pattern(`\n{ranges(found)}\n`);\n")
    Path(sys.argv[1]).write_text("\n".join([HEAD, *blocks]))


main()
