"""Languages: which lead to which here, what they are called in English, and which of them a foreign code means.

Knows nothing of dialects. `leads` is the one place that asks which ways there are.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping

from bundle.manifest import AT, Bundle
from service.tasks.ways import legs, through

TRANSLATE = "translate"
NAMES = {
    "ar": "Arabic",
    "bg": "Bulgarian",
    "ca": "Catalan",
    "cs": "Czech",
    "da": "Danish",
    "de": "German",
    "el": "Greek",
    "en": "English",
    "eo": "Esperanto",
    "es": "Spanish",
    "et": "Estonian",
    "eu": "Basque",
    "fa": "Persian",
    "fi": "Finnish",
    "fr": "French",
    "ga": "Irish",
    "gl": "Galician",
    "he": "Hebrew",
    "hi": "Hindi",
    "hr": "Croatian",
    "hu": "Hungarian",
    "id": "Indonesian",
    "it": "Italian",
    "ja": "Japanese",
    "ko": "Korean",
    "lt": "Lithuanian",
    "lv": "Latvian",
    "nb": "Norwegian",
    "nl": "Dutch",
    "pl": "Polish",
    "pt": "Portuguese",
    "ro": "Romanian",
    "ru": "Russian",
    "sk": "Slovak",
    "sl": "Slovenian",
    "sq": "Albanian",
    "sr": "Serbian",
    "sv": "Swedish",
    "th": "Thai",
    "tr": "Turkish",
    "uk": "Ukrainian",
    "vi": "Vietnamese",
    "zh": "Chinese",
}


def leads(able: Iterable[Bundle], *, far: bool = True) -> dict[str, list[str]]:
    """Each source language to the targets that a text in it can be translated to, both in the order of preference.

    far: also through another language.
    """
    found: dict[str, list[str]] = {}
    all_ = legs(able)
    for way in [*((leg,) for leg in all_), *(through(all_) if far else ())]:
        source, target = way[0].pair.source, way[-1].pair.target
        targets = found.setdefault(source, [])
        targets += [] if target in targets else [target]
    return found


def defaults(bundles: Mapping[str, Bundle]) -> list[Bundle]:
    """The translators that are asked where no model is named."""
    return [one for key, one in bundles.items() if one.manifest.task == TRANSLATE and AT not in key]


def spoken(there: Mapping[str, Collection[str]]) -> list[str]:
    """Every language on either side."""
    return list(dict.fromkeys([*there, *(target for targets in there.values() for target in targets)]))


def name(code: str) -> str:
    """In English; the code itself where we know none."""
    return NAMES.get(code.lower(), code)


def meant(given: str, there: Collection[str]) -> str | None:
    """Which of the codes that are there another service's code means: in any case, without its region if need be."""
    folded = {code.lower(): code for code in there}
    whole = given.strip().lower().replace("_", "-")
    return folded.get(whole) or folded.get(whole.partition("-")[0])
