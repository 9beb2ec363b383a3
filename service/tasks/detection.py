"""Which language a text is in, of those that are wanted, and whether it is written in a language's letters at all.

Knows nothing of HTTP, models or requests. The statistics are py3langid's: they lie in its package, and are read once.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Collection, Sequence
from copy import copy
from functools import cache, lru_cache
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from py3langid.langid import LanguageIdentifier

READ = 1000  # characters of a text that are looked at: long before that its language is beyond doubt
SUBSETS = 16  # sets of wanted languages that are kept ready, a few hundred kB each

# The writing of languages by the first word of their letters' Unicode names; who is not here writes LATIN.
SCRIPTS: dict[str, tuple[str, ...]] = {
    **dict.fromkeys(("be", "bg", "kk", "ky", "mk", "mn", "ru", "tg", "uk"), ("CYRILLIC",)),
    **dict.fromkeys(("ar", "fa", "ps", "ug", "ur"), ("ARABIC",)),
    **dict.fromkeys(("hi", "mr", "ne", "sa"), ("DEVANAGARI",)),
    **dict.fromkeys(("zh", "yue", "wuu"), ("CJK", "BOPOMOFO")),
    **dict.fromkeys(("as", "bn"), ("BENGALI",)),
    "am": ("ETHIOPIC",),
    "el": ("GREEK",),
    "gu": ("GUJARATI",),
    "he": ("HEBREW",),
    "hy": ("ARMENIAN",),
    "ja": ("CJK", "HIRAGANA", "KATAKANA", "KATAKANA-HIRAGANA"),
    "ka": ("GEORGIAN",),
    "km": ("KHMER",),
    "kn": ("KANNADA",),
    "ko": ("HANGUL", "CJK"),
    "lo": ("LAO",),
    "ml": ("MALAYALAM",),
    "my": ("MYANMAR",),
    "or": ("ORIYA",),
    "pa": ("GURMUKHI",),
    "si": ("SINHALA",),
    "sr": ("CYRILLIC", "LATIN"),
    "ta": ("TAMIL",),
    "te": ("TELUGU",),
    "th": ("THAI",),
}
COMMON = ("FULLWIDTH", "HALFWIDTH", "MODIFIER", "FEMININE", "MASCULINE", "MATHEMATICAL", "MICRO")  # belong to nobody


class Guess(NamedTuple):
    """A language, and how likely it is among those that were wanted: 0 to 1."""

    language: str
    confidence: float


def detect(text: str, among: Collection[str]) -> list[Guess]:
    """How likely each of these languages is the text's, best first; in the order given where nothing can be told.

    Codes may have subtags (`pt-BR`), which nothing is known of. A code without statistics is never likely.
    """
    codes = {code: code.partition("-")[0].lower() for code in among}
    known = sorted(set(codes.values()) & _known())
    likely = dict(_among(tuple(known)).rank(f" {text[:READ]} ")) if known else {}  # ends of words tell much
    guesses = [Guess(code, round(likely.get(primary, 0.0), 4)) for code, primary in codes.items()]
    return sorted(guesses, key=lambda guess: -guess.confidence)


def detect_all(texts: Sequence[str], among: Collection[str]) -> list[Guess]:
    """The same of several texts that are in one language."""
    share = max(1, READ // max(1, len(texts)))
    return detect(" ".join(text[:share] for text in texts), among)


def written_in(text: str, language: str) -> bool:
    """Whether a text has a letter of a language's script, or no letter at all."""
    scripts = (*SCRIPTS.get(language.partition("-")[0].lower(), ("LATIN",)), *COMMON)
    if scripts[0] == "LATIN" and text.isascii():
        return True
    letters = (character for character in text if unicodedata.category(character)[0] == "L")
    first = next(letters, None)
    return first is None or _script(first) in scripts or any(_script(letter) in scripts for letter in letters)


def warm() -> None:
    """Read the statistics, which takes a second or two, before somebody waits for them."""
    _all()


def _script(letter: str) -> str:
    return unicodedata.name(letter, "NONE").partition(" ")[0]


def _known() -> frozenset[str]:
    return frozenset(_all().labels)


@cache
def _all() -> LanguageIdentifier:
    from py3langid.langid import MODEL_FILE, LanguageIdentifier  # late: few processes need it

    return LanguageIdentifier.from_model_file(MODEL_FILE, norm_probs=True)


@lru_cache(SUBSETS)
def _among(languages: tuple[str, ...]) -> LanguageIdentifier:
    """One that chooses among these alone; all of them share the automaton that reads."""
    one = copy(_all())
    one.set_languages(languages)
    return one
