"""The words of LibreTranslate's dialect: what its requests hold, what its answers and its errors look like.

Knows nothing of routes.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeVar

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator

from service.errors import HeedError, KeyMissing, KeyRefused, Meaningless, Refused, TextTooLong, WrongMethod
from service.maps.envelope import AttentionMap
from service.tasks.contract import Attention, Bounds
from service.tasks.detection import Guess

AUTO = "auto"
A = TypeVar("A", bound="LibreTranslateText")
Maps = AttentionMap | list[AttentionMap] | None


class LibreTranslateText(BaseModel):
    """What every request has; fields that we do not know are ignored, as LibreTranslate ignores them."""

    model_config = ConfigDict(extra="ignore")

    q: str | list[str] = Field(description="A text, or several.", examples=["Dogs"])
    api_key: str | None = Field(None, description="An empty one is none. A header does as well.")

    def check(self, bounds: Bounds) -> None:
        """Raises: TextTooLong: more texts, or longer ones, than may be."""
        texts = self.q if isinstance(self.q, list) else [self.q]
        sizes = [(len(texts), bounds.texts), *((len(text), bounds.text_characters) for text in texts)]
        for size, limit in sizes:
            if size > limit:
                told = f"Invalid request: request ({size}) exceeds text limit ({limit})"
                raise TextTooLong(told, limit=limit, actual=size)


class LibreTranslateRequest(LibreTranslateText):
    """A request for a translation."""

    source: str = Field(max_length=35, description="Language code, or `auto`.", examples=["en"])
    target: str = Field(max_length=35, description="Language code.", examples=["de"])
    format: Literal["text", "html"] = "text"
    alternatives: int = Field(0, ge=0, description="How many other translations to return beside the best.")
    attention: Attention = Field("none", description="Heed's own: also return the map; `true` is `soft`.")
    scores: bool = Field(False, description="Heed's own: also return each translation's score.")
    model: bool | str = Field(False, description="Heed's own: which model, or `true`; its id is returned.")

    @field_validator("attention", mode="before")
    @classmethod
    def _flag(cls, value: object) -> object:
        return {"true": "soft", "false": "none"}.get(str(value).lower(), value)

    @field_validator("model", mode="before")
    @classmethod
    def _named(cls, value: object) -> object:
        return {"true": True, "false": False}.get(str(value).lower(), value)

    def check(self, bounds: Bounds, most: int = 0) -> None:
        """Raises: Meaningless: more alternatives than may be, or what is not a text too long."""
        super().check(bounds)
        if self.alternatives > most:
            told = f"Invalid request: alternatives parameter must be <= {most}"
            raise Meaningless(told, limit=most, actual=self.alternatives)

    def ours(self) -> dict[str, Any]:
        """The fields of our own request that follow from those that are Heed's own."""
        plain = {"attention": self.attention, "trust": "none" if self.attention == "none" else "cheap"}
        return {**plain, "model": self.model} if isinstance(self.model, str) else plain


class DetectedLanguage(BaseModel):
    """A language that a text may be in."""

    confidence: float = Field(ge=0, le=100, examples=[90.0])
    language: str = Field(examples=["fr"])

    @classmethod
    def of(cls, guess: Guess) -> DetectedLanguage:
        return cls(confidence=round(100 * guess.confidence, 1), language=guess.language)


class LibreTranslateAnswer(BaseModel):
    """The answer; for a list of texts every field that is there is a list."""

    translatedText: str | list[str] = Field(examples=["Hunde"])  # noqa: N815  their names
    detectedLanguage: DetectedLanguage | list[DetectedLanguage] | None = None  # noqa: N815
    alternatives: list[str] | list[list[str]] | None = None
    attention: Maps | list[Maps] = Field(None, description="Only if `attention` was asked for.")
    scores: float | list[float] | None = Field(None, description="Only if `scores` was asked for.")
    model: str | list[str | None] | None = Field(None, description="Only if `model` was named or asked for.")


class LibreTranslateLanguage(BaseModel):
    """A language, and what a text in it can be translated to."""

    code: str = Field(examples=["en"])
    name: str = Field(examples=["English"])
    targets: list[str] = Field(examples=[["de"]])


class NamedLanguage(BaseModel):
    """A language by code and name."""

    code: str
    name: str


class FrontendSettings(BaseModel):
    """What LibreTranslate tells its page of itself."""

    apiKeys: bool  # noqa: N815
    charLimit: int  # noqa: N815
    filesTranslation: bool  # noqa: N815
    frontendTimeout: int  # noqa: N815
    keyRequired: bool  # noqa: N815
    language: dict[str, NamedLanguage]
    suggestions: bool
    supportedFilesFormat: list[str]  # noqa: N815


class LibreTranslateError(BaseModel):
    """How errors are told."""

    error: str


def told(error: HeedError) -> tuple[int, LibreTranslateError]:
    """An error's status and body: what is the request's fault is 400, unless it is the key or the method."""
    status = error.status
    if isinstance(error, KeyMissing | KeyRefused):
        status = 403
    elif isinstance(error, Refused) and not isinstance(error, WrongMethod):
        status = 400
    return status, LibreTranslateError(error=error.detail)


def read(kind: type[A], fields: Mapping[str, Any]) -> A:
    """A request from its fields; what is empty is as if it were not there.

    Raises:
        Meaningless: something is missing, or means nothing.
    """
    given = {name: value for name, value in fields.items() if value is not None and value not in ("", [])}
    for name, field in kind.model_fields.items():
        if field.is_required() and name not in given:
            raise Meaningless(f"Invalid request: missing {name} parameter")
    try:
        return kind.model_validate(given)
    except ValidationError as wrong:
        first = wrong.errors(include_url=False, include_input=False)[0]
        place = first["loc"][0] if first["loc"] else "body"
        raise Meaningless(f"Invalid request: {place}: {first['msg']}") from None
