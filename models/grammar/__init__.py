"""Parallel sentences that a grammar makes, with every word's counterpart known: exact gold for alignments.

Knows nothing of nets. English and another language as in captions of pictures, a file each: words agree, and stand
where that language wants them. Punctuation is a word. Every word has one counterpart, but for commas, which may have
none: a map that follows the meaning makes no error at all. All of it follows from a seed.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np

LANGUAGES = {"de": "german", "fr": "french"}  # what is spoken beside English, and in which file


class Aligned(NamedTuple):
    """A pair of sentences as words, and all links between them (source word, target word)."""

    source: list[str]
    target: list[str]
    links: frozenset[tuple[int, int]]

    def texts(self) -> tuple[str, str]:
        """Both as they are written: punctuation follows its word, the first letter is large."""
        return written(self.source), written(self.target)


class Unit(NamedTuple):
    """Words that stand for each other, wherever they stand."""

    source: Sequence[str]
    target: Sequence[str]


Phrase = tuple[list[Unit], list[Unit]]  # the same units, in the order of each language
STOP, COMMA = Unit(["."], ["."]), Unit([], [","])


def written(words: Sequence[str]) -> str:
    """Words as text."""
    text = " ".join(words).replace(" ,", ",").replace(" .", ".").replace("' ", "'")
    return text[:1].upper() + text[1:]


class Grammar:
    """Draws sentences; two with one seed draw the same. A language says how its phrases are made."""

    verbs: Mapping[str, str]  # English: the other language
    prepositions: Mapping[str, str]

    def __init__(self, seed: int) -> None:
        self.random = np.random.default_rng(seed)

    def sentences(self, number: int) -> Iterator[Aligned]:
        """So many of them, no two alike."""
        seen: set[str] = set()
        while len(seen) < number:
            drawn = self.sentence()
            text = " ".join(drawn.source)
            if text not in seen:
                seen.add(text)
                yield drawn

    def sentence(self) -> Aligned:
        """A main clause, with a place in front of it or behind, and maybe a clause that goes on meanwhile."""
        subject, verb, thing, place = self.subject(), self.verb(), self.thing(), self.place()
        in_front = bool(self.random.random() < 0.35)
        source = (
            [*place[0], *subject[0], *verb[0], *thing[0]] if in_front else [*subject[0], *verb[0], *thing[0], *place[0]]
        )
        target = self.clause(subject[1], verb[1], thing[1], place[1], in_front=in_front)
        if self.random.random() < 0.3:
            meanwhile = self.meanwhile()
            source, target = source + meanwhile[0], target + meanwhile[1]
        return laid_out([*source, STOP], [*target, STOP])

    def pick(self, of: Mapping[str, Any]) -> str:
        """One of the English words."""
        return str(self.random.choice(sorted(of)))

    def subject(self) -> Phrase:
        """Who does it, maybe with clothes, or with what else they do."""
        raise NotImplementedError

    def verb(self) -> Phrase:
        """What is done."""
        english = self.pick(self.verbs)
        unit = Unit([english], [self.verbs[english]])
        return [unit], [unit]

    def thing(self) -> Phrase:
        """What it is done to."""
        raise NotImplementedError

    def place(self) -> Phrase:
        """Where."""
        english = self.pick(self.prepositions)
        unit, (source, target) = Unit([english], [self.prepositions[english]]), self.location()
        return [unit, *source], [unit, *target]

    def location(self) -> Phrase:
        """What a place is named after, without its preposition."""
        raise NotImplementedError

    def meanwhile(self) -> Phrase:
        """While somebody does something."""
        raise NotImplementedError

    def clause(
        self, subject: list[Unit], verb: list[Unit], thing: list[Unit], place: list[Unit], *, in_front: bool
    ) -> list[Unit]:
        """The main clause in the order of the language, whose English begins with the place or ends with it."""
        raise NotImplementedError


def grammar(language: str, seed: int) -> Grammar:
    """The grammar of English and another language.

    Raises:
        ValueError: there is none for this language.
    """
    if language not in LANGUAGES:
        raise ValueError(f"no grammar between en and {language!r}: there are {', '.join(LANGUAGES)}")
    name = LANGUAGES[language]
    made: Grammar = getattr(importlib.import_module(f"{__name__}.{name}"), name.capitalize())(seed)
    return made


def sentences(source: str, target: str, seed: int, number: int) -> list[Aligned]:
    """So many of them between two languages, of which one is English.

    Raises:
        ValueError: there is no grammar for the other one.
    """
    if source == "en":
        return list(grammar(target, seed).sentences(number))
    turned = grammar(source, seed).sentences(number)
    return [Aligned(one.target, one.source, frozenset((j, i) for i, j in one.links)) for one in turned]


def spoken(source: str, target: str) -> bool:
    """Whether there are sentences between two languages."""
    return "en" in (source, target) and bool({source, target} & LANGUAGES.keys())


def laid_out(source: Sequence[Unit], target: Sequence[Unit]) -> Aligned:
    """Units in both orders to words and links; units are told apart by being themselves, not by their words."""
    at: dict[int, list[int]] = {}
    words: list[str] = []
    for unit in source:
        at[id(unit)] = list(range(len(words), len(words) + len(unit.source)))
        words += unit.source
    others: list[str] = []
    links = set()
    for unit in target:
        links |= {(i, len(others) + k) for i in at.get(id(unit), []) for k in range(len(unit.target))}
        others += unit.target
    return Aligned(words, others, frozenset(links))
