"""Writes the test tables of BERT's and rinna's tokenizers.

    python tools/golden/wordpiece_tables.py --cn-clip CHECKOUT --vocabularies FOLDER

CHECKOUT is a clone of OFA-Sys/Chinese-CLIP, whose own tokenizer gives its ids. FOLDER holds the published vocabularies
bert-chinese-vocab.txt (Chinese-CLIP's vocab.txt) and rinna-roberta.spiece.model (spiece.model of
rinna/japanese-roberta-base), which are not part of this repository. In fixtures/wordpiece the script writes
  vocab.txt, tokenizer.json   a WordPiece vocabulary of two thousand pieces, trained on captions in five languages
  ids.jsonl                   texts with cn_clip's and Hugging Face's ids for that vocabulary
  characters.json             how both split "a", each character, "b": runs of assigned characters with one result
  published_ids.jsonl         texts with the ids of the published vocabularies
and in fixtures/rinna
  spiece.model, ids.jsonl     a unigram vocabulary with rinna's special pieces, and SentencePiece's ids
"""

import argparse
import importlib.util
import json
import random
import sys
import tempfile
import types
import unicodedata
from pathlib import Path

import sentencepiece
import tokenizers
from tokenizer_tables import OTHER_SCRIPTS, SPECIAL_CASES, Fuzz, as_json_reads_it, captions
from tokenizers import BertWordPieceTokenizer
from tokenizers.normalizers import BertNormalizer
from tokenizers.pre_tokenizers import BertPreTokenizer

ROOT = Path(__file__).resolve().parents[2]
SEED = 20240608
SPECIAL = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
CASES = [
    "杰尼龟", "妙蛙种子", "小火龙", "皮卡丘", "一只猫，在草地上。“你好”", "Hello WORLD café iPhone15", "ΣΟΦΟΣ, ΑΣ. ΣΑΣ",
    "x" * 100, "x" * 101, "x" * 200, "x" * 201, "猫" * 80, "a[SEP]b [MASK] [mask]", "\ue000a a\ue000b", "a\U0002b820b\U0002b920c",
    "4年に1度オリンピックは開かれる。", "犬", "ｶﾞｷﾞｸﾞ", "ﾊﾟﾋﾟﾌﾟ ＡＢＣ１２３", "ガ\u3099", "カタカナ　と　漢字", "perché è così",
    "İstanbul IŞIK", "ÀÉÎ", "a  b ", "▁a", "　", "が\u3099", "한국어 각", "１００円", "㍿㌔", "①②③", "aaaaaaaaaaaa",
]  # fmt: skip


def is_known(text: str) -> bool:
    """Whether all characters are assigned here: later versions of Unicode may put others into any category."""
    return all(unicodedata.category(character) not in ("Cn", "Cs") for character in text)


def cn_clip_module(checkout: Path):
    """cn_clip/clip/bert_tokenizer.py, with the two functions of the package six that it calls."""
    six = types.ModuleType("six")
    six.PY3, six.PY2 = True, False
    sys.modules["six"] = six
    spec = importlib.util.spec_from_file_location("bert_tokenizer", checkout / "cn_clip" / "clip" / "bert_tokenizer.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def write(path: Path, about: str, rows: list[dict]) -> None:
    versions = {"tokenizers": tokenizers.__version__, "sentencepiece": sentencepiece.__version__}
    versions["python"] = sys.version.split()[0]
    head = {"about": about, "seed": SEED, "command": "python tools/golden/wordpiece_tables.py", "versions": versions}
    path.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in [head, *rows]), encoding="ascii")


def train_wordpiece(folder: Path, rng: random.Random) -> None:
    trained = BertWordPieceTokenizer(lowercase=True)
    corpus = captions(rng, 4000) + OTHER_SCRIPTS * 3 + CASES * 3 + list("abcdefghijklmnopqrstuvwxyz") * 3
    trained.train_from_iterator(corpus, vocab_size=2000, min_frequency=1, special_tokens=SPECIAL, show_progress=False)
    pieces = sorted(trained.get_vocab().items(), key=lambda item: item[1])
    (folder / "vocab.txt").write_text("".join(f"{piece}\n" for piece, _ in pieces), encoding="utf-8")
    # Ties between pieces make the trainer's order vary: the vocabulary file decides.
    bert = BertWordPieceTokenizer(str(folder / "vocab.txt"), lowercase=True)
    saved = json.loads(bert.to_str())
    (folder / "tokenizer.json").write_text(
        json.dumps(saved, ensure_ascii=False, separators=(",", ":")) + "\n", encoding="utf-8"
    )


def train_unigram(path: Path, rng: random.Random) -> None:
    from tokenizer_tables import fields

    with tempfile.TemporaryDirectory() as scratch:
        corpus = Path(scratch) / "captions.txt"
        corpus.write_text("\n".join(captions(rng, 4000) + CASES), encoding="utf-8")
        sentencepiece.SentencePieceTrainer.train(
            input=str(corpus),
            model_prefix=f"{scratch}/tiny",
            model_type="unigram",
            vocab_size=1000,
            hard_vocab_limit=False,
            character_coverage=1.0,
            control_symbols="[PAD],[CLS],[SEP],[MASK]",
            num_threads=1,
            minloglevel=2,
        )
        model = Path(f"{scratch}/tiny.model").read_bytes()
    # The trainer's settings contain the path of the corpus: keep the model type alone.
    parts = [(number, payload) for number, payload in fields(model) if number in (1, 3)]

    def field(number: int, payload: bytes) -> bytes:
        length, head = len(payload), bytes([number << 3 | 2])
        while length > 127:
            head += bytes([length & 127 | 128])
            length >>= 7
        return head + bytes([length]) + payload

    pieces = b"".join(field(1, payload) for number, payload in parts if number == 1)
    normalizer = next(payload for number, payload in parts if number == 3)
    path.write_bytes(pieces + field(2, b"\x18\x01") + field(3, normalizer))


def character_runs(words) -> list[list]:
    """[first, last, result] of assigned characters; result: what becomes of the character between a and b."""
    runs: list[list] = []
    for code in range(0x110000):
        character = chr(code)
        if not is_known(character):
            continue
        found = words(f"a{character}b")
        if found == ["ab"]:
            result = "dropped"
        elif found == ["a", "b"]:
            result = "space"
        elif len(found) == 3 and (found[0], found[2]) == ("a", "b"):
            result = "word"
        else:
            result = "inside" if len(found) == 1 else "other"
        if runs and runs[-1][1] == code - 1 and runs[-1][2] == result:
            runs[-1][1] = code
        else:
            runs.append([code, code, result])
    return runs


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--cn-clip", type=Path, required=True, metavar="CHECKOUT")
    parser.add_argument("--vocabularies", type=Path, required=True, metavar="FOLDER")
    options = parser.parse_args()
    wordpiece, rinna = ROOT / "fixtures" / "wordpiece", ROOT / "fixtures" / "rinna"
    for folder in (wordpiece, rinna):
        folder.mkdir(parents=True, exist_ok=True)
    rng = random.Random(SEED)
    fuzz = Fuzz(rng)
    module = cn_clip_module(options.cn_clip)

    def cn_clip(vocabulary: Path, length: int):
        tokenizer = module.FullTokenizer(vocab_file=str(vocabulary))
        start, end = tokenizer.vocab["[CLS]"], tokenizer.vocab["[SEP]"]
        return lambda text: [start, *tokenizer.convert_tokens_to_ids(tokenizer.tokenize(text))[: length - 2], end]

    def bert(vocabulary: Path, length: int):
        tokenizer = BertWordPieceTokenizer(str(vocabulary), lowercase=True)
        tokenizer.enable_truncation(length)
        return lambda text: tokenizer.encode(text).ids

    def japanese(model: Path):
        processor = sentencepiece.SentencePieceProcessor(model_file=str(model))
        return lambda text: [4, *processor.encode(text.lower())[:76]]

    train_wordpiece(wordpiece, rng)
    train_unigram(rinna / "spiece.model", rng)
    samples = [fuzz.text() for _ in range(500)]
    texts = CASES + SPECIAL_CASES + OTHER_SCRIPTS + captions(rng, 300) + samples
    texts = [text for text in map(as_json_reads_it, texts) if is_known(text)]

    ours, theirs = cn_clip(wordpiece / "vocab.txt", 52), bert(wordpiece / "vocab.txt", 52)
    rows = [{"text": text, "cnClip": ours(text), "bert": theirs(text)} for text in texts]
    write(wordpiece / "ids.jsonl", "cn_clip's and Hugging Face's ids, at most 52", rows)
    pieces = japanese(rinna / "spiece.model")
    rows = [{"text": text, "ids": pieces(text)} for text in texts]
    write(rinna / "ids.jsonl", "[CLS] and SentencePiece's ids of the text in lower case, at most 77", rows)

    basic = module.BasicTokenizer(do_lower_case=True)
    normalizer, split = BertNormalizer(lowercase=True), BertPreTokenizer()
    runs = {
        "cnClip": character_runs(basic.tokenize),
        "bert": character_runs(lambda text: [w for w, _ in split.pre_tokenize_str(normalizer.normalize_str(text))]),
    }
    (wordpiece / "characters.json").write_text(json.dumps(runs, separators=(",", ":")) + "\n")

    chinese = options.vocabularies / "bert-chinese-vocab.txt"
    ours, theirs = cn_clip(chinese, 52), bert(chinese, 52)
    pieces = japanese(options.vocabularies / "rinna-roberta.spiece.model")
    texts = texts + captions(rng, 600)
    rows = [{"text": text, "cnClip": ours(text), "bert": theirs(text), "rinna": pieces(text)} for text in texts]
    write(wordpiece / "published_ids.jsonl", "ids of the published vocabularies", rows)


if __name__ == "__main__":
    main()
