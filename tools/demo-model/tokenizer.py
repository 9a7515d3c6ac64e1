"""Trains a SentencePiece model with XLM-R's conventions and writes it with Hugging Face's tokenizer.json."""

from pathlib import Path

import sentencepiece
from sentencepiece import sentencepiece_model_pb2
from transformers import XLMRobertaTokenizer

# Characters that labels may contain, so that an unknown word is spelled out and not replaced by <unk>.
LATIN = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.,:;!?'\"()-&/àáâäçèéêëìíîïñòóôöùúûüœßÄÖÜ"
KANA = "".join(map(chr, [*range(0x3041, 0x3097), *range(0x30A1, 0x30FB), 0x30FC]))


def train(corpus: Path, folder: Path, vocab_size: int, max_sentencepiece_length: int) -> int:
    """Writes both files into the folder and returns the size of the embedding table."""
    sentencepiece.SentencePieceTrainer.train(
        input=str(corpus),
        model_prefix=str(folder / "sentencepiece.bpe"),
        model_type="unigram",
        vocab_size=vocab_size,
        character_coverage=1.0,
        pretokenization_delimiter="|",
        required_chars=LATIN + KANA,
        max_sentencepiece_length=max_sentencepiece_length,
        normalization_rule_name="nmt_nfkc",
        num_threads=1,
        minloglevel=1,
    )
    (folder / "sentencepiece.bpe.vocab").unlink()
    proto = sentencepiece_model_pb2.ModelProto()
    proto.ParseFromString((folder / "sentencepiece.bpe.model").read_bytes())
    # Paths of the machine that trained it do not belong in the file.
    proto.trainer_spec.ClearField("input")
    proto.trainer_spec.ClearField("model_prefix")
    (folder / "sentencepiece.bpe.model").write_bytes(proto.SerializeToString())
    # fairseq's ids: these four replace SentencePiece's <unk>, <s> and </s>, all others move up by one, <mask> is last.
    pieces = [(piece.piece, piece.score) for piece in proto.pieces[3:]]
    special = [("<s>", 0.0), ("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0)]
    tokenizer = XLMRobertaTokenizer(
        vocab=[*special, *pieces, ("<mask>", 0.0)],
        _spm_precompiled_charsmap=proto.normalizer_spec.precompiled_charsmap,
        model_max_length=512,
    )
    tokenizer.save_pretrained(folder)
    return len(proto.pieces) + 2
