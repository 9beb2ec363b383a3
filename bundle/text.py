"""Words to ids and back, keeping the pieces and the character offsets that label a heat map.

Knows nothing of models: training, export and serving all run these lines.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import sentencepiece

PAD, UNK, BOS, EOS = 0, 1, 2, 3  # the ids every vocabulary of ours is trained with
SPACE = "\u2581"  # sentencepiece's mark for the space before a word


@dataclass(frozen=True)
class Piece:
    """One subword of a text: `text[start:end]`, offsets in code points; `opens` is true at a word's first piece."""

    id: int
    text: str
    start: int
    end: int
    opens: bool


class Vocabulary:
    """A sentencepiece model with our fixed ids (PAD, UNK, BOS, EOS)."""

    def __init__(self, path: str | Path) -> None:
        """Load a `.model` file.

        Raises:
            ValueError: the file is not a sentencepiece model, or its special ids are not ours.
        """
        self.processor = sentencepiece.SentencePieceProcessor()
        try:
            self.processor.Load(str(path))
        except (OSError, RuntimeError) as broken:
            raise ValueError(f"{path}: not a sentencepiece model") from broken
        ids = (self.processor.pad_id(), self.processor.unk_id(), self.processor.bos_id(), self.processor.eos_id())
        if ids != (PAD, UNK, BOS, EOS):
            raise ValueError(f"{path}: special ids {ids} are not {(PAD, UNK, BOS, EOS)}")

    def __len__(self) -> int:
        return int(self.processor.GetPieceSize())

    def pieces(self, text: str) -> list[Piece]:
        """Cut a text into pieces whose offsets point into that very text, white space left out of the spans."""
        proto = self.processor.EncodeAsImmutableProto(text)
        return [_trimmed(piece, text, first=i == 0) for i, piece in enumerate(proto.pieces)]

    def ids(self, text: str) -> list[int]:
        """The ids of `pieces(text)`, without BOS or EOS."""
        return list(self.processor.EncodeAsIds(text))

    def sampled(self, text: str, dropout: float) -> list[int]:
        """Ids with BPE-dropout (Provilkov et al. 2020): each merge is skipped with this probability."""
        return list(self.processor.Encode(text, out_type=int, enable_sampling=True, alpha=dropout, nbest_size=-1))

    def text(self, ids: Sequence[int]) -> str:
        """The text of these ids; PAD, BOS and EOS are silent."""
        return str(self.processor.DecodeIds([i for i in ids if i not in (PAD, BOS, EOS)]))

    def spelled(self, ids: Sequence[int]) -> tuple[str, list[Piece]]:
        """The text of these ids and each id's own span in it; EOS, where given, is an empty span at the end."""
        proto = self.processor.DecodeIdsAsImmutableProto([i for i in ids if i not in (PAD, BOS, EOS)])
        text, spans = proto.text, iter(proto.pieces)
        out: list[Piece] = []
        for position, id_ in enumerate(ids):
            if id_ in (PAD, BOS, EOS):
                out.append(Piece(id_, "", len(text), len(text), True))
            else:
                out.append(_trimmed(next(spans), text, first=position == 0))
        return text, out


def _trimmed(piece: sentencepiece.ImmutableSentencePieceText_ImmutableSentencePiece, text: str, first: bool) -> Piece:
    """A sentencepiece span without the white space that the piece took with it."""
    start, end = int(piece.begin), int(piece.end)
    while start < end and text[start].isspace():
        start += 1
    while end > start and text[end - 1].isspace():
        end -= 1
    return Piece(int(piece.id), text[start:end], start, end, first or str(piece.piece).startswith(SPACE))


def has_words(text: str) -> bool:
    """Whether a text holds any letter or digit: spaces, emoji, punctuation and control characters alone do not."""
    return any(unicodedata.category(character)[0] in "LN" for character in text)


def train_vocabulary(lines: Sequence[str], prefix: Path, size: int, kind: str = "bpe") -> Path:
    """Train a sentencepiece model on lines and return its path, `{prefix}.model`; kind is bpe, unigram or word."""
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter(lines),
        model_prefix=str(prefix),
        vocab_size=size,
        model_type=kind,
        character_coverage=0.9999,
        pad_id=PAD,
        unk_id=UNK,
        bos_id=BOS,
        eos_id=EOS,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    return prefix.with_name(prefix.name + ".model")
