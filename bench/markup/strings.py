"""Strings such as programs have in their catalogues (.po), generated from a seed, with all that must survive in them.

Knows nothing of services.
"""

from __future__ import annotations

import random
from collections import Counter
from typing import NamedTuple

KINDS = (
    "{name}",
    "{0}",
    "{1}",
    "{}",
    "{user.name}",
    "{price:.2f}",
    "%s",
    "%d",
    "%i",
    "%1$s",
    "%2$d",
    "%(count)d",
    "%(file)s",
    "%.2f",
    "%5.1f",
    "%@",
    "%1",
    "%%",
    "${x}",
    "${user}",
    "#{id}",
    "%{count}",
    "{{ x }}",
    "{{count}}",
    "{% trans %}",
    '<x id="1"/>',
    '<ph name="A"/>',
    "<0/>",
    "<br/>",
    "&amp;",
    "&nbsp;",
    "&#39;",
    "&quot;",
    "\\n",
    "https://example.org/a?b=1&c=2",
    "www.example.com/start",
    "help@example.org",
    "{n, plural, one {# file} other {# files}}",
)
PAIRS = (("<b>", "</b>"), ('<a href="https://example.org">', "</a>"), ('<g id="1">', "</g>"), ("<strong>", "</strong>"))
SENTENCES = (
    "Hello {}, you have {} new messages.",
    "The file {} could not be opened.",
    "{} of {} files were copied to {}.",
    "Delete {}?",
    "{} is too long.",
    "Welcome back, {}!",
    "A man with a red shirt gave {} to {}.",
    "Error: {}",
    "{}: {}",
    "Please write to {} or visit {}.",
    "{} and {} are sitting on a bench.",
    "Do you really want to remove {} from {}?",
    "The password must have at least {} characters.",
    "{}",
    "{} {}",
    "Two dogs run after {} in the park",
    "Save as {}...",
    "By clicking {} you agree to our terms ({}).",
    "{} ago",
    "Sent by {} on {} at {}",
    "Page {} of {}",
    "Loading {}…",
    "You can't use {} here",
    "Open {}",
    'She said: "{}" and left.',
    "{} GB free",
    "No results for '{}'",
    "v{}",
    "{}px wide",
)
NAMES = (
    "ACME-3000",
    "Zürich HB",
    "foo_bar()",
    "Heed",
    "C++",
    "O'Neill & Sons",
    "日本",
    "--force",
    "naïve",
    "x²",
    "🙂 ok",
)


class String(NamedTuple):
    """A text, the ranges of it that are protected, and how often each thing must be in the answer."""

    text: str
    protect: list[tuple[int, int]]
    kept: Counter[str]


def strings(count: int, seed: int = 1) -> list[String]:
    """So many strings, the same ones for the same seed."""
    choose = random.Random(seed)  # noqa: S311 - no secret
    return [_string(choose) for _ in range(count)]


def _string(choose: random.Random) -> String:
    text, protect, kept = "", [], Counter[str]()
    first, *rest = choose.choice(SENTENCES).split("{}")
    text = first
    for part in rest:
        if choose.random() < 0.2:
            name = choose.choice(NAMES)
            protect.append((len(text), len(text) + len(name)))
            kept[name] += 1
            text += name
        else:
            kind = choose.choice(KINDS)
            kept[kind] += 1
            text += kind
        text += part
    if choose.random() < 0.25 and " " in text.strip() and not protect:
        before, after = choose.choice(PAIRS)
        kept[before] += 1
        kept[after] += 1
        text = f"{before}{text}{after}" if choose.random() < 0.5 else f"Click {before}here{after}. {text}"
    return String(text, protect, _counted(text, kept))


def _counted(text: str, kept: Counter[str]) -> Counter[str]:
    """How often each is in the text: one may be part of another."""
    return Counter({one: text.count(one) for one in kept})


def lost(string: String, answer: str) -> list[str]:
    """What is not as often in an answer as in its text."""
    return [one for one, count in string.kept.items() if answer.count(one) != count]
