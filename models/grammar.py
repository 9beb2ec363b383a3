"""Parallel sentences that a grammar makes, with every word's counterpart known: exact gold for alignments.

Knows nothing of nets. English and German as in captions of pictures: articles and adjectives agree in gender and
case, a place in front turns subject and verb around, a clause after `während` or a relative pronoun ends in its verb.
Punctuation is a word. Every German word has one counterpart, but for commas, which have none: a map that follows the
meaning makes no error at all. All of it follows from a seed.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import numpy as np

NOUNS = {  # English: German, gender
    "man": ("Mann", "m"), "woman": ("Frau", "f"), "child": ("Kind", "n"), "dog": ("Hund", "m"),
    "girl": ("Mädchen", "n"), "cat": ("Katze", "f"), "horse": ("Pferd", "n"), "player": ("Spieler", "m"),
    "worker": ("Arbeiter", "m"),
}  # fmt: skip
THINGS = {
    "ball": ("Ball", "m"), "book": ("Buch", "n"), "bag": ("Tasche", "f"), "bottle": ("Flasche", "f"),
    "guitar": ("Gitarre", "f"), "picture": ("Bild", "n"), "camera": ("Kamera", "f"), "stick": ("Stock", "m"),
}  # fmt: skip
PLACES = {
    "house": ("Haus", "n"), "street": ("Straße", "f"), "bench": ("Bank", "f"), "tree": ("Baum", "m"),
    "car": ("Auto", "n"), "beach": ("Strand", "m"), "field": ("Feld", "n"), "table": ("Tisch", "m"),
    "wall": ("Wand", "f"),
}  # fmt: skip
CLOTHES = {"shirt": ("Hemd", "n"), "hat": ("Hut", "m"), "jacket": ("Jacke", "f"), "dress": ("Kleid", "n")}
ADJECTIVES = {
    "small": "klein", "large": "groß", "red": "rot", "black": "schwarz", "white": "weiß", "brown": "braun",
    "young": "jung", "old": "alt", "blue": "blau", "green": "grün",
}  # fmt: skip
VERBS = {
    "holds": "hält",
    "sees": "sieht",
    "carries": "trägt",
    "pulls": "zieht",
    "touches": "berührt",
    "pushes": "schiebt",
}
PREPOSITIONS = {"on": "auf", "behind": "hinter", "beside": "neben", "under": "unter", "above": "über"}
ENDINGS = {  # case and gender: a's, the, the adjective's after a and after the
    "nom m": ("ein", "der", "er", "e"), "nom f": ("eine", "die", "e", "e"), "nom n": ("ein", "das", "es", "e"),
    "acc m": ("einen", "den", "en", "en"), "acc f": ("eine", "die", "e", "e"), "acc n": ("ein", "das", "es", "e"),
    "dat m": ("einem", "dem", "en", "en"), "dat f": ("einer", "der", "en", "en"), "dat n": ("einem", "dem", "en", "en"),
}  # fmt: skip


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


def written(words: Sequence[str]) -> str:
    """Words as text."""
    text = " ".join(words).replace(" ,", ",").replace(" .", ".")
    return text[:1].upper() + text[1:]


class Grammar:
    """Draws sentences; two with one seed draw the same."""

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
        (subject, subject_), (verb, verb_), (thing, thing_) = self.subject(), self.verb(), self.phrase(THINGS, "acc")
        (place, place_), stop = self.place(), Unit(["."], ["."])
        if self.random.random() < 0.35:
            source, target = [*place, *subject, *verb, *thing], [*place_, *verb_, *subject_, *thing_]
        else:
            source, target = [*subject, *verb, *thing, *place], [*subject_, *verb_, *thing_, *place_]
        if self.random.random() < 0.3:
            meanwhile, meanwhile_ = self.meanwhile()
            source, target = source + meanwhile, target + meanwhile_
        return laid_out([*source, stop], [*target, stop])

    def pick(self, of: dict[str, str] | dict[str, tuple[str, str]]) -> str:
        """One of the English words."""
        return str(self.random.choice(sorted(of)))

    def phrase(self, nouns: dict[str, tuple[str, str]], case: str) -> Phrase:
        """An article, maybe an adjective, and a noun."""
        english = self.pick(nouns)
        german, gender = nouns[english]
        a, the, after_a, after_the = ENDINGS[f"{case} {gender}"]
        definite = self.random.random() < 0.4
        units = [Unit(["the" if definite else "a"], [the if definite else a])]
        if self.random.random() < 0.5:
            adjective = self.pick(ADJECTIVES)
            units.append(Unit([adjective], [ADJECTIVES[adjective] + (after_the if definite else after_a)]))
            if adjective == "old" and not definite:
                units[0] = Unit(["an"], units[0].target)
        units.append(Unit([english], [german]))
        return units, list(units)

    def subject(self) -> Phrase:
        """Who does it, maybe with clothes, or with what else they do."""
        source, target = self.phrase(NOUNS, "nom")
        kind = self.random.random()
        if kind < 0.3:
            clothes, clothes_ = self.phrase(CLOTHES, "dat")
            within = Unit(["in"], ["in"])
            return [*source, within, *clothes], [*target, within, *clothes_]
        if kind < 0.5:
            gender = next(gender for german, gender in NOUNS.values() if german == target[-1].target[0])
            who = Unit(["that"], [ENDINGS[f"nom {gender}"][1]])
            (verb, verb_), (thing, thing_) = self.verb(), self.phrase(THINGS, "acc")
            comma = Unit([], [","])
            return [*source, who, *verb, *thing], [*target, comma, who, *thing_, *verb_, Unit([], [","])]
        return source, target

    def verb(self) -> Phrase:
        """What is done."""
        english = self.pick(VERBS)
        unit = Unit([english], [VERBS[english]])
        return [unit], [unit]

    def place(self) -> Phrase:
        """Where."""
        english = self.pick(PREPOSITIONS)
        unit, (source, target) = Unit([english], [PREPOSITIONS[english]]), self.phrase(PLACES, "dat")
        return [unit, *source], [unit, *target]

    def meanwhile(self) -> Phrase:
        """While somebody does something: the verb goes to the end."""
        unit, (subject, subject_) = Unit(["while"], ["während"]), self.phrase(NOUNS, "nom")
        (verb, verb_), (thing, thing_) = self.verb(), self.phrase(THINGS, "acc")
        return [unit, *subject, *verb, *thing], [Unit([], [","]), unit, *subject_, *thing_, *verb_]


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
