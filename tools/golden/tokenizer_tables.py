"""Writes the tokenizer's test tables in fixtures/tokenizer/ with open_clip.

    python tools/golden/tokenizer_tables.py fixtures/tokenizer

writes
  cleaning.jsonl     texts before and after open_clip's cleaning (ftfy, html.unescape, white space)
  sentencepiece.bpe.model, tokenizer.json
                     a unigram vocabulary of about a thousand pieces with XLM-R's conventions, trained on captions that
                     this script composes; the JSON file is saved by transformers
  ids.jsonl          texts and their ids from open_clip's HFTokenizer with that vocabulary
  option_ids.jsonl   the same with tokenizer_kwargs of the config: other cleaning, strip_sep_token
  bpe_ids.jsonl      texts and their ids from open_clip's SimpleTokenizer, the BPE of the English models
The first line of a table names the seed and the versions. All random numbers come from one seed, and training is
single-threaded, so that every run writes the same files.

Needs open_clip_torch, transformers, sentencepiece and ftfy.
"""

import html.entities
import json
import random
import sys
import tempfile
import unicodedata
from pathlib import Path

import ftfy
import reference  # noqa: F401 - makes torchvision importable
import open_clip
import sentencepiece
import tokenizers
import transformers
from ftfy.badness import MOJIBAKE_CATEGORIES
from ftfy.chardata import CHARMAP_ENCODINGS
from open_clip.tokenizer import HFTokenizer, SimpleTokenizer, get_clean_fn
from transformers import XLMRobertaTokenizer

SEED = 20240607
CONTEXT_LENGTH = 77

CAPTIONS = {
    "en": (
        "a photo of {a} {n}|a drawing of {n} near {m}|the {n} and the {m} in the garden|{n}, {a} and old|"
        "close-up of {a} {m} at night|two people with {n} on the beach|an {a} painting of the {m}",
        "a cat|a dog|the bicycle|a red apple|the river|an old bridge|a sleeping child|the lighthouse|a bowl of soup|"
        "the mountains|a train station|the market|a violin|an umbrella|the kitchen window|a flock of birds",
        "small|large|beautiful|broken|yellow|bright|wooden|quiet|ancient|colourful|blurry|frozen",
    ),
    "it": (
        "una foto di {n}|{n} e {m} nel giardino|un disegno di {n} vicino a {m}|{n} così {a} di notte|"
        "due persone con {n} sulla spiaggia|perché {m} è {a}|un quadro {a} con {n}",
        "un gatto|un cane|la bicicletta|una mela rossa|il fiume|un vecchio ponte|un bambino che dorme|il faro|"
        "una ciotola di minestra|le montagne|la stazione|il mercato|un violino|un ombrello|la finestra della cucina",
        "piccolo|grande|bellissimo|rotto|giallo|luminoso|tranquillo|antico|colorato|sfocato|più bello|ghiacciato",
    ),
    "ja": (
        "{n}の写真|{a}{n}と{m}|庭にある{n}|{m}の近くの{n}を描いた絵|夜の{a}{m}|浜辺で{n}と一緒にいる二人|{n}は{a}です。",
        "猫|犬|自転車|赤いリンゴ|川|古い橋|眠っている子供|灯台|スープの器|山々|駅|市場|バイオリン|傘|台所の窓|鳥の群れ",
        "小さい|大きい|美しい|壊れた|黄色い|明るい|静かな|古代の|色とりどりの|ぼやけた|凍った|木製の",
    ),
    "zh": (
        "一张{n}的照片|{a}{n}和{m}|花园里的{n}|{m}附近的{n}的图画|夜晚{a}{m}|海滩上的两个人和{n}|这幅{a}画里有{n}。",
        "猫|狗|自行车|红苹果|河流|老桥|睡着的孩子|灯塔|一碗汤|群山|火车站|市场|小提琴|雨伞|厨房的窗户|一群鸟",
        "小的|大的|美丽的|破碎的|黄色的|明亮的|安静的|古老的|五颜六色的|模糊的|结冰的|木制的",
    ),
}

OTHER_SCRIPTS = [
    "Une œuvre d’art à l’hôtel, n’est-ce pas ?",
    "Größe: zwölf Äpfel für Jürgen & Söhne",
    "Zażółć gęślą jaźń",
    "Příliš žluťoučký kůň úpěl ďábelské ódy",
    "Фотография собаки на мосту ночью",
    "Ξεσκεπάζω την ψυχοφθόρα βδελυγμία",
    "לילה טוב, תמונה של כלב",
    "صورة قطة صغيرة بالقرب من النهر",
    "एक छोटे कुत्ते की तस्वीर",
    "ภาพถ่ายของแมวบนสะพาน",
    "고양이와 개의 사진",
    "Bức ảnh chụp một con mèo nhỏ",
    "İstanbul'da ışıklı bir köprü",
    "👩‍👩‍👧‍👦 🏳️‍🌈 👍🏽 ❤️ ☕️",
    "𝒜𝓃 𝔲𝔫𝔲𝔰𝔲𝔞𝔩 𝕗𝕠𝕟𝕥 Ｆｕｌｌ ｗｉｄｔｈ ﾊﾝｶｸ",
    "½ ㎏ ㍿ № ™ ﬁ ﬃ Ⅷ ① … ‥ ﷺ",
]

SPECIAL_CASES = [
    "", " ", "\n", "\u3000", "\u00a0", "\x1c\x1d\x1e\x1f", "\x85", "\ufeff", "\u200b", "\u2028a\u2029b",
    "a\tb\nc\x0bd\x0ce\rf\r\ng\x85h\u00a0i\u2003j\u3000k\u200bl\ufeffm\u202fn\u205fo\u1680p\u180eq",
    "\ufeffbyte order mark", "\x1b[36;44mI'm blue\x1b[0m", "null\x00s and \x08backspaces\x7f",
    "lone \ud83d high, lone \ude00 low, \ude00\ud83d turned", "\ufff9annotated\ufffatext\ufffb\ufffc",
    "“curly” ‘quotes’ ‚low‘ „low“ ‟ ‛ ʼn ŉ", "Ǆ ǅ ǆ Ǉ ǈ ǉ Ǌ ǋ ǌ Ǳ ǲ ǳ Ĳ ĳ ﬀ ﬁ ﬂ ﬃ ﬄ ﬅ ﬆ æ œ",
    "e\u0301 a\u030a か\u3099 \u1112\u1161\u11ab q\u0323\u0307 q\u0307\u0323 \u212b \u2126",
    "&lt;b&gt; &amp;amp;amp; &amp;lt;", "<b>&eacute;&amp;&lt;</b>", "first &eacute;\n<i>\nlater &eacute; &nbsp;x",
    "&notit; &notin; &not &amp &ampx &AMP;&EACUTE;&NTILDE;&nTILDE;&SZLIG;", "&#128; &#x80; &#150 &#0; &#xD800; &#x110000;",
    "&#59; &#12ab; &#x; &#; &; & &&amp;", "&#1;&#11;&#127;&#xFDD0;&#x1FFFE;&#13;", "&lang;&rang; &NotEqualTilde;",
    "&CounterClockwiseContourIntegral; &ThickSpace;", "voilÃ le travail", "Ã la mode", "fÃ cil às", "Ãquele Ã s",
    "âœ” No problems", "ã\x83\x84", "schÃ¶n", "l’humanitÃ©", "â€œlike thisâ€\ufffd", "Ã©À\n", "Ã©í\nb", "Ã©\xed\xa0\x80",
    "í\xa0½í¸\x80 CESU", "Ã©À\x80 Java", "ÐŸÑ€Ð¸Ð²ÐµÑ‚", "РџСЂРёРІРµС‚", "ΓΞ±", "à¤¨à¤®", "æ—¥æœ¬", "ä½ å¥½", "√© ‚Äî", "Γö£ΓöÇ",
    "\u0391\u0392\u0393 \x80\x93\x94\x99 C1", "\u201a\u00c4\u00f2", "1500€…™ 10° ÂÂ 20Â°", "×²³ ׳²", "ØªØ­Ù…ÙŠÙ„",
    "special <s> and </s>, <pad>, <unk>  <mask> x<mask>y", "＜mask＞ ＜s＞ &lt;unk&gt; <Mask> <mask", "▁under▁line ▁▁ ▁",
    "ẛ\u0323 ẛ \u017f\u0307", "©\u200d™\u0301 ´\u0301 ¨\u0301 ﬁ\u0301 ½\u0338", "\u0600ﬁ\u0301 \u06dd1", "กำ ลำ aำ ຳ",
    "\u1100\u1161\u11a8 가\u11a8 \ua960\ud7b0", "\u0958\u0301 \u0915\u094d\u0958", "\u00ad soft\u00adhyphen",
    "x" * 300, "gatto " * 100, "猫" * 200, "🐈" * 90, "\U0001f9ff\U000e0067\U000e007f \U0010ffff \U000e0001",
    "it's we'll I'D they'RE <start_of_text> <|endoftext|> <END_OF_TEXT> 123abc٣ⅷ", "İSTANBUL ΣΟΦΟΣ ǅ ẞ",
]


def captions(rng: random.Random, count: int) -> list[str]:
    texts = []
    for _ in range(count):
        templates, nouns, adjectives = CAPTIONS[rng.choice(list(CAPTIONS))]
        n, m = rng.sample(nouns.split("|"), 2)
        texts.append(rng.choice(templates.split("|")).format(n=n, m=m, a=rng.choice(adjectives.split("|"))))
    return texts


class Fuzz:
    """Texts with typical encoding errors."""

    def __init__(self, rng: random.Random):
        self.rng = rng
        self.encodings = {name: bytes(range(256)).decode(name) for name in CHARMAP_ENCODINGS}
        self.clues = "".join(MOJIBAKE_CATEGORIES.values()) + " \xa0abcAZ?.,!°Œœ\x1a\ufffd\n–—“”‘’…\x81\x8d"
        self.names = list(html.entities.html5)
        self.sound = OTHER_SCRIPTS + captions(rng, 40)

    def text(self) -> str:
        return self.rng.choice(
            [self.mojibake, self.patchwork, self.clues_only, self.entities, self.controls, self.anything, self.marks]
        )()

    def slice(self, most: int) -> str:
        text = self.rng.choice(self.sound)
        start = self.rng.randrange(len(text))
        return text[start : start + self.rng.randrange(1, most)]

    def mojibake(self) -> str:
        rng, text = self.rng, self.slice(24)
        for _ in range(rng.choice([1, 1, 1, 2, 3])):
            data = text.encode("utf-8", "surrogatepass")
            if rng.random() < 0.15:  # CESU-8
                units = text.encode("utf-16-le", "surrogatepass")
                data = "".join(chr(units[i] | units[i + 1] << 8) for i in range(0, len(units), 2)).encode(
                    "utf-8", "surrogatepass"
                )
            table = self.encodings[rng.choice(CHARMAP_ENCODINGS)]
            text = "".join(table[byte] for byte in data)
            loss = rng.random()
            if loss < 0.15:
                text = text.replace("\xa0", " ")
            elif loss < 0.3:
                text = "".join(("\ufffd" if loss < 0.25 else "?") if "\x80" <= c <= "\x9f" else c for c in text)
        return text

    def patchwork(self) -> str:
        parts = [self.slice(12), self.mojibake()[:12], self.rng.choice(["", "\n", " "]), self.slice(12)]
        self.rng.shuffle(parts)
        return "".join(parts)

    def clues_only(self) -> str:
        tables = [self.clues, *self.encodings.values()]
        return "".join(self.rng.choice(self.rng.choice(tables)) for _ in range(self.rng.randrange(1, 16)))

    def entities(self) -> str:
        rng, text = self.rng, ""
        for _ in range(rng.randrange(1, 6)):
            name = rng.choice(self.names)
            number = rng.choice([rng.randrange(0x110100), rng.randrange(256), rng.randrange(0xD000, 0xE100), 10**25])
            text += rng.choice(
                [
                    "&" + name,
                    "&" + name.upper(),
                    "&" + name[: rng.randrange(1, len(name) + 1)] + rng.choice(["", ";", "x", "foo;"]),
                    f"&#{number}" + rng.choice(["", ";", "a", ";;"]),
                    f"&#{rng.choice('xX')}{number:x}" + rng.choice(["", ";", "g", ";;"]),
                    "&amp;" * rng.randrange(1, 3) + name,
                    rng.choice(["<", "\n", "&", "&;", "&#;", "&#x;", " "]),
                ]
            )
        return text

    def controls(self) -> str:
        ranges = [(0, 0x20), (0x80, 0xA1), (0x2000, 0x2070), (0xFEFF, 0xFF00), (0xFF00, 0xFFF0), (0xFFF0, 0x10000)]
        ranges += [(0x20, 0x7F), (0xD800, 0xE000), (0x300, 0x370), (0x130, 0x250), (0x20, 0x21), (10, 14)]
        return "".join(chr(self.rng.randrange(*self.rng.choice(ranges))) for _ in range(self.rng.randrange(1, 16)))

    def anything(self) -> str:
        ends = [0x3000, 0x10000, 0x110000]
        return "".join(chr(self.rng.randrange(self.rng.choice(ends))) for _ in range(self.rng.randrange(1, 12)))

    def marks(self) -> str:
        rng = self.rng
        bases = "aeoqAﬁẛÅΩ½①㍿´¨ªªか하힣ᄒ\u0600©®™アｶ\u0958▁🐈👍"
        marks = "\u0300\u0301\u0304\u0308\u030a\u0323\u0338\u0345\u3099\u309a\u0654\u093c\u200d\u200c\ufe0f\u1161\u11a8"
        marks += "\u0e33\uff9e\uff9f\U0001f3fb"
        return "".join(
            rng.choice(bases) + "".join(rng.choice(marks) for _ in range(rng.randrange(3)))
            for _ in range(rng.randrange(1, 8))
        )


def as_json_reads_it(text: str) -> str:
    """Replaces pairs of surrogates by the characters that they encode, as every reader of the table does."""
    return json.loads(json.dumps(text))


def write_table(path: Path, about: str, rows: list[dict]) -> None:
    versions = {
        module.__name__: module.__version__ for module in (open_clip, ftfy, transformers, tokenizers, sentencepiece)
    }
    versions["python"] = sys.version.split()[0]
    header = {"about": about, "seed": SEED, "command": "python tools/golden/tokenizer_tables.py", "versions": versions}
    with open(path, "w", encoding="ascii") as file:
        for row in [header, *rows]:
            file.write(json.dumps(row, separators=(",", ":")) + "\n")


def fields(message: bytes):
    """Numbers and payloads of the length-delimited fields of a protocol buffer; other fields are skipped."""

    def varint(at):
        value = shift = 0
        while True:
            value |= (message[at] & 127) << shift
            shift += 7
            at += 1
            if message[at - 1] < 128:
                return value, at

    at = 0
    while at < len(message):
        tag, at = varint(at)
        if tag & 7 == 2:
            length, at = varint(at)
            yield tag >> 3, message[at : at + length]
            at += length
        elif tag & 7 == 0:
            _, at = varint(at)
        else:
            at += 4 if tag & 7 == 5 else 8


def train(folder: Path, rng: random.Random) -> None:
    """A vocabulary with XLM-R's conventions (unk, bos, eos first, no pad, nmt_nfkc) and its tokenizer.json."""
    with tempfile.TemporaryDirectory() as scratch:
        corpus = Path(scratch) / "captions.txt"
        corpus.write_text("\n".join(captions(rng, 4000) + OTHER_SCRIPTS[:3] * 3), encoding="utf-8")
        sentencepiece.SentencePieceTrainer.train(
            input=str(corpus),
            model_prefix=f"{scratch}/tiny",
            model_type="unigram",
            vocab_size=1000,
            hard_vocab_limit=False,
            character_coverage=1.0,
            normalization_rule_name="nmt_nfkc",
            num_threads=1,
            minloglevel=2,
        )
        # The trainer's settings contain the path of the corpus: read the model without them.
        model = Path(f"{scratch}/tiny.model").read_bytes()
    pieces = [payload for number, payload in fields(model) if number == 1]
    normalizer = next(payload for number, payload in fields(model) if number == 3)
    charsmap = next(payload for number, payload in fields(normalizer) if number == 2)

    def field(number: int, payload: bytes) -> bytes:
        length, head = len(payload), bytes([number << 3 | 2])
        while length > 127:
            head += bytes([length & 127 | 128])
            length >>= 7
        return head + bytes([length]) + payload

    bare = b"".join(field(1, piece) for piece in pieces) + field(2, b"\x18\x01") + field(3, normalizer)
    (folder / "sentencepiece.bpe.model").write_bytes(bare)

    processor = sentencepiece.SentencePieceProcessor(model_proto=bare)
    vocabulary = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    vocabulary += [(processor.id_to_piece(i), processor.get_score(i)) for i in range(3, len(processor))]
    vocabulary += [("<mask>", 0.0)]
    # The same as transformers does with a sentencepiece.bpe.model, without the protobuf package.
    tokenizer = XLMRobertaTokenizer(vocab=vocabulary, _spm_precompiled_charsmap=charsmap)
    with tempfile.TemporaryDirectory() as scratch:
        tokenizer.save_pretrained(scratch)
        saved = json.loads((Path(scratch) / "tokenizer.json").read_text(encoding="utf-8"))
    compact = json.dumps(saved, ensure_ascii=False, separators=(",", ":"))
    (folder / "tokenizer.json").write_text(compact + "\n", encoding="utf-8")


def main() -> None:
    folder = Path(sys.argv[1])
    folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(SEED)
    fuzz = Fuzz(rng)
    clean = get_clean_fn("whitespace")

    texts = [as_json_reads_it(text) for text in SPECIAL_CASES + OTHER_SCRIPTS + [fuzz.text() for _ in range(1200)]]
    rows = [{"text": text, "cleaned": clean(text)} for text in texts]
    write_table(folder / "cleaning.jsonl", "open_clip's cleaning, mode whitespace", rows)

    train(folder, rng)
    with tempfile.TemporaryDirectory() as scratch:
        Path(scratch, "tokenizer.json").write_bytes((folder / "tokenizer.json").read_bytes())
        Path(scratch, "tokenizer_config.json").write_text('{"tokenizer_class":"XLMRobertaTokenizer"}')
        tokenizer = HFTokenizer(scratch, context_length=CONTEXT_LENGTH)
        others = [
            (options, HFTokenizer(scratch, context_length=CONTEXT_LENGTH, **options))
            for options in ({"clean": "lower"}, {"clean": "canonicalize"}, {"strip_sep_token": True})
        ]
    texts = SPECIAL_CASES + OTHER_SCRIPTS + captions(rng, 200) + [fuzz.text() for _ in range(500)]
    rows = []
    for text in map(as_json_reads_it, texts):
        encoded = tokenizer.tokenizer(clean(text), truncation=True, max_length=CONTEXT_LENGTH).input_ids
        padded = tokenizer(text)[0].tolist()
        assert padded == encoded + [1] * (CONTEXT_LENGTH - len(encoded))
        rows.append({"text": text, "ids": encoded})
    write_table(folder / "ids.jsonl", "open_clip's HFTokenizer, without padding", rows)

    rows = []
    for text in map(as_json_reads_it, texts[::4]):
        for options, other in others:
            padded = other(text)[0].tolist()
            count = max(i for i, token in enumerate(padded) if token != 1) + 1
            rows.append({"text": text, "options": options, "ids": padded[:count]})
    write_table(folder / "option_ids.jsonl", "open_clip's HFTokenizer with tokenizer_kwargs, without padding", rows)

    simple = SimpleTokenizer()
    rows = []
    for text in map(as_json_reads_it, texts):
        # Whether an unassigned character is a letter depends on the version of Unicode.
        if any(unicodedata.category(character) == "Cn" for character in text + clean(text)):
            continue
        encoded = [simple.sot_token_id, *simple.encode(text), simple.eot_token_id]
        if len(encoded) > CONTEXT_LENGTH:
            encoded = [*encoded[: CONTEXT_LENGTH - 1], simple.eot_token_id]
        padded = simple(text)[0].tolist()
        assert padded == encoded + [0] * (CONTEXT_LENGTH - len(encoded))
        rows.append({"text": text, "ids": encoded})
    write_table(folder / "bpe_ids.jsonl", "open_clip's SimpleTokenizer, without padding", rows)


if __name__ == "__main__":
    main()
