"""Words to ids and back, keeping the pieces and the character offsets that label a heat map.

Knows nothing of models: training, export and serving all run these lines.
"""

from __future__ import annotations

import io
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import sentencepiece

PAD, UNK, BOS, EOS = 0, 1, 2, 3  # the ids every vocabulary of ours is trained with
SILENT = (PAD, BOS, EOS)  # ids that stand for no text
MANY = 4096  # different characters of a text, and of those that are remembered
SPACE = "\u2581"  # sentencepiece's mark for the space before a word


@dataclass(frozen=True, slots=True)
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
        self.known: dict[str, bool] = {}  # whether there is a piece for a character
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
        cut = self.processor.encode(text, return_type="offset_mapping")
        return _spans(cut, text)

    def ids(self, text: str) -> list[int]:
        """The ids of `pieces(text)`, without BOS or EOS."""
        return list(self.processor.EncodeAsIds(text))

    def unread(self, text: str) -> set[str]:
        """The characters of a text that there is no piece for; of more than MANY kinds none: it is no text."""
        each = set(text)
        if len(each) > MANY:
            return set()
        if len(self.known) > MANY:  # whoever sends all of Unicode must not fill the memory
            self.known.clear()
        for character in each - self.known.keys():
            self.known[character] = UNK not in self.processor.EncodeAsIds(character)
        return {character for character in each if not self.known[character]}

    def id(self, piece: str) -> int:
        """The id of a piece as it stands in the vocabulary.

        Raises:
            ValueError: there is no such piece.
        """
        found = int(self.processor.PieceToId(piece))
        if found == UNK:
            raise ValueError(f"there is no piece {piece!r}")
        return found

    def sampled(self, text: str, dropout: float) -> list[int]:
        """Ids with BPE-dropout (Provilkov et al. 2020): each merge is skipped with this probability."""
        return list(self.processor.Encode(text, out_type=int, enable_sampling=True, alpha=dropout, nbest_size=-1))

    def text(self, ids: Sequence[int]) -> str:
        """The text of these ids; PAD, BOS and EOS are silent."""
        return str(self.processor.DecodeIds([int(i) for i in ids if i not in SILENT]))

    def shown(self, id_: int) -> str:
        """A piece as it stands in the vocabulary, with a space before it if it begins a word."""
        return str(self.processor.IdToPiece(int(id_))).replace(SPACE, " ")

    def spelled(self, ids: Sequence[int]) -> tuple[str, list[Piece]]:
        """The text of these ids and each id's own span in it; EOS, where given, is an empty span at the end."""
        cut = self.processor.decode([int(i) for i in ids if i not in SILENT], return_type="offset_mapping")
        text = str(cut["text"])
        end = Piece(EOS, "", len(text), len(text), True)
        spans = iter(_spans(cut, text))
        return text, [replace(end, id=int(i)) if i in SILENT else next(spans) for i in ids]


def _spans(cut: Mapping[str, Any], text: str) -> list[Piece]:
    """sentencepiece's pieces (ids, pieces, offsets in code points), each without the white space it took with it."""
    out = []
    for i, (id_, piece, (first, last)) in enumerate(zip(cut["ids"], cut["pieces"], cut["offsets"], strict=True)):
        whole = text[first:last]
        start = last - len(whole.lstrip())
        bare = whole.strip()
        out.append(Piece(int(id_), bare, start, start + len(bare), i == 0 or piece.startswith(SPACE)))
    return out


def has_words(text: str) -> bool:
    """Whether a text holds any letter or digit: spaces, emoji, punctuation and control characters alone do not."""
    return any(unicodedata.category(character)[0] in "LN" for character in text)


def train_vocabulary(
    lines: Sequence[str], prefix: Path, size: int, kind: str = "bpe", marks: Sequence[str] = ()
) -> Path:
    """Train a sentencepiece model on lines and return its path, `{prefix}.model`; kind is bpe, unigram or word.

    Each of `marks` becomes a piece that no text is cut into: control symbols of sentencepiece.
    """
    model = io.BytesIO()  # written to memory: a model written to a file holds that file's path
    sentencepiece.SentencePieceTrainer.Train(
        sentence_iterator=iter(lines),
        model_writer=model,
        vocab_size=size,
        model_type=kind,
        character_coverage=0.9999,
        control_symbols=list(marks),
        pad_id=PAD,
        unk_id=UNK,
        bos_id=BOS,
        eos_id=EOS,
        hard_vocab_limit=False,
        minloglevel=2,
    )
    path = prefix.with_name(prefix.name + ".model")
    path.write_bytes(model.getvalue())
    return path
