"""Text all in capitals, which models have seldom read: small letters go in, and capitals come out again.

Knows nothing of models. Names lose their capitals on the way in; what comes out is all capitals in any case.
"""

from __future__ import annotations

LETTERS = 5  # of a text that shouts, at least: fewer may be a name, such as NATO


def shouted(text: str) -> bool:
    """Whether a text is two words or more, all in capitals."""
    letters = sum(character.isalpha() for character in text)
    return text.isupper() and letters >= LETTERS and len(text.split()) > 1


def calm(text: str) -> str:
    """The same text in small letters after the first one, each where it was: offsets in one are those in the other."""
    first = next((i for i, character in enumerate(text) if character.isalpha()), 0) + 1
    small = (lower if len(lower := character.lower()) == 1 else character for character in text[first:])
    return text[:first] + "".join(small)
