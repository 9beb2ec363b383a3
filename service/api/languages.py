"""Languages: which lead to which here, what they are called in English, and which of them a foreign code means.

Knows nothing of dialects. `leads` is the one place that asks the bundles for their pairs.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping

from bundle.manifest import AT, Bundle

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


def leads(bundles: Mapping[str, Bundle]) -> dict[str, list[str]]:
    """Each source language to the targets that a text in it can be translated to, both in the order of preference."""
    found: dict[str, list[str]] = {}
    for key, bundle in bundles.items():
        told = bundle.manifest
        if told.task == TRANSLATE and told.source is not None and AT not in key:  # a side version is asked by name
            targets = found.setdefault(told.source, [])
            targets += [] if told.target in targets else [told.target]
    return found


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
