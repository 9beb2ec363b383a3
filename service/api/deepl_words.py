"""The words of DeepL's dialect (v2): what its requests hold, what its answers and its errors look like.

Knows nothing of routes. A field that only helps is accepted and changes nothing; one whose user would be deceived if it
changed nothing is refused.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from service.api.languages import name
from service.errors import HeedError, KeyMissing, KeyRefused, Meaningless, RateLimited, Refused, TooLarge, WrongMethod

QUOTA = 456
PATIENT = (
    300  # seconds; clients ask again after a 429 for a minute or two, so whom a limit sends away for longer hears 456
)
REFUSED = {  # what would have to be done, and why it is not
    "glossary_id": "there are no stored glossaries here",
    "glossary_ids": "there are no stored glossaries here",
    "style_id": "there are no styles here",
    "translation_memory_id": "there are no translation memories here",
    "custom_instructions": "the models here follow no instructions",
    "ignore_tags": "tags cannot be kept from translation by name here",
}
VARIANTS = {  # targets as DeepL lists them; each is its base language here
    "en": {"EN-GB": "English (British)", "EN-US": "English (American)"},
    "pt": {"PT-BR": "Portuguese (Brazilian)", "PT-PT": "Portuguese (European)"},
    "zh": {"ZH": "Chinese (simplified)", "ZH-HANS": "Chinese (simplified)"},
}


class DeepLRequest(BaseModel):
    """A request for translations; fields that are not told of here are ignored."""

    model_config = ConfigDict(extra="ignore", protected_namespaces=())

    text: list[str] = Field(description="Texts; in a form the field is repeated.", examples=[["Dogs"]])
    target_lang: str = Field(max_length=35, description="A language; a region is taken off.", examples=["DE"])
    source_lang: str | None = Field(None, max_length=35, description="Left out, each text's is told by the text.")
    formality: Literal["default", "more", "less", "prefer_more", "prefer_less"] = Field(
        "default", description="No model here knows of it: `more` and `less` are refused, the others change nothing."
    )
    tag_handling: Literal["html", "xml"] | None = None
    show_billed_characters: bool = False
    model_type: Literal["quality_optimized", "prefer_quality_optimized", "latency_optimized"] | None = Field(
        None, description="A pair has one model, whichever is asked for."
    )

    @field_validator("text", mode="before")
    @classmethod
    def _listed(cls, value: object) -> object:
        return [value] if isinstance(value, str) else value


class DeepLTranslation(BaseModel):
    """One text's translation."""

    model_config = ConfigDict(protected_namespaces=())

    detected_source_language: str = Field(examples=["EN"])
    text: str = Field(examples=["Hunde"])
    billed_characters: int | None = Field(None, description="Only if asked for: the text's characters.")
    model_type_used: str | None = Field(None, description="Only if one was asked for.")


class DeepLAnswer(BaseModel):
    """One for each text, in order."""

    translations: list[DeepLTranslation]


class DeepLLanguage(BaseModel):
    """A language by DeepL's code."""

    language: str = Field(examples=["DE"])
    name: str = Field(examples=["German"])
    supports_formality: bool | None = Field(None, description="Of targets.")


class DeepLUsage(BaseModel):
    """Characters that this server has translated for whoever asks, since it started."""

    character_count: int
    character_limit: int


class DeepLError(BaseModel):
    """How errors are told."""

    message: str


def told(error: HeedError) -> tuple[int, DeepLError]:
    """An error's status and body."""
    status = error.status
    if isinstance(error, KeyMissing | KeyRefused):
        status = 403
    elif isinstance(error, RateLimited) and (error.retry_after or 0) > PATIENT:
        status = QUOTA
    elif isinstance(error, Refused) and not isinstance(error, WrongMethod | TooLarge):
        status = 400
    return status, DeepLError(message=error.detail)


def read(fields: Mapping[str, Any]) -> DeepLRequest:
    """A request from its fields.

    Raises:
        Meaningless: something is missing, means nothing, or asks for what is not done.
    """
    given = {name: value for name, value in fields.items() if value is not None}
    for field in ("text", "target_lang"):
        if not given.get(field):
            raise Meaningless(f"Parameter '{field}' not specified.")
    for field, why in REFUSED.items():
        if given.get(field):
            raise Meaningless(f"Parameter '{field}' is not supported: {why}.")
    try:
        asked = DeepLRequest.model_validate(given)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        raise Meaningless(f"Value for '{first['loc'][0]}' not supported: {first['msg']}.") from None
    if asked.formality in ("more", "less"):
        raise Meaningless("Parameter 'formality' is not supported: no model here knows of it.")
    if asked.tag_handling == "xml":
        raise Meaningless("Parameter 'tag_handling' is not supported for xml.")
    return asked


def listed(code: str, side: str) -> list[DeepLLanguage]:
    """A language as DeepL lists it among sources or targets."""
    if side == "source":
        return [DeepLLanguage(language=code.upper(), name=name(code))]
    variants = VARIANTS.get(code, {code.upper(): name(code)})
    return [DeepLLanguage(language=one, name=called, supports_formality=False) for one, called in variants.items()]
