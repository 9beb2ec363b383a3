"""Every error the service answers with, drawn as a tree: whose fault, which status, stable code, may you retry.

Knows nothing of HTTP frameworks. Never carries the user's text, a key or a path.

    HeedError
    ├── Refused            the request's fault; the same request fails again
    │   ├── Malformed            400  malformed_request
    │   ├── KeyMissing           401  key_missing
    │   ├── KeyRefused           403  key_refused
    │   ├── NotFound             404  not_found
    │   │   └── UnknownModel     404  unknown_model
    │   ├── WrongMethod          405  method_not_allowed
    │   ├── NotAcceptable        406  not_acceptable
    │   ├── TooSlow              408  body_too_slow
    │   ├── Conflict             409  model_conflict
    │   │   ├── OverBudget       409  memory_budget_exceeded
    │   │   └── FileNotReady     409  file_not_ready
    │   ├── TooLarge             413  body_too_large
    │   │   └── ImageTooBig      413  image_too_large
    │   ├── WrongMediaType       415  unsupported_media_type
    │   └── Meaningless          422  invalid_request
    │       ├── EmptyText        422  text_empty
    │       ├── NoWords          422  text_without_words
    │       ├── TextTooLong      422  text_too_long
    │       ├── Unsayable        422  text_unsayable
    │       ├── OtherScript      422  text_in_other_script
    │       ├── UnknownPair      422  unsupported_pair
    │       ├── WrongTask        422  wrong_task
    │       ├── ImageMissing     422  image_missing
    │       ├── ImageBroken      422  image_unreadable
    │       ├── FileMissing      422  file_missing
    │       ├── FileUnknown      422  file_unsupported
    │       ├── FileBroken       422  file_unreadable
    │       ├── UrlRefused       422  url_refused
    │       └── UrlBroken        422  url_unreadable
    ├── Unavailable        nobody's fault; the same request may pass later
    │   ├── QueueFull            429  queue_full
    │   ├── RateLimited          429  rate_limited
    │   ├── NotReady             503  model_not_ready
    │   ├── Draining             503  draining
    │   └── DeadlinePassed       504  deadline_exceeded
    └── Broken             our fault
        ├── EngineFailed         500  engine_failed
        ├── LoadFailed           500  model_load_failed
        └── InternalError        500  internal_error
"""

from __future__ import annotations

from typing import ClassVar, NamedTuple


class Where(NamedTuple):
    """One wrong place in a request: a JSON Pointer and what is wrong there."""

    pointer: str
    detail: str


class HeedError(Exception):
    """An error with a status, a stable code and a message that is safe to show."""

    status: ClassVar[int] = 500
    code: ClassVar[str] = "internal_error"
    title: ClassVar[str] = "Internal error"
    retryable: ClassVar[bool] = False

    def __init__(
        self,
        detail: str = "",
        *,
        limit: int | float | None = None,
        actual: int | float | None = None,
        retry_after: int | None = None,
        errors: tuple[Where, ...] = (),
    ) -> None:
        """detail: one sentence for the caller; limit and actual: the bound that was crossed; retry_after: seconds."""
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.limit, self.actual, self.retry_after, self.errors = limit, actual, retry_after, errors


class Refused(HeedError):
    status, code, title = 400, "refused", "Request refused"


class Malformed(Refused):
    status, code, title = 400, "malformed_request", "Malformed request"


class KeyMissing(Refused):
    status, code, title = 401, "key_missing", "No API key in the request"


class KeyRefused(Refused):
    status, code, title = 403, "key_refused", "API key refused"


class NotFound(Refused):
    status, code, title = 404, "not_found", "Not found"


class UnknownModel(NotFound):
    code, title = "unknown_model", "Unknown model"


class WrongMethod(Refused):
    status, code, title = 405, "method_not_allowed", "Method not allowed"


class NotAcceptable(Refused):
    status, code, title = 406, "not_acceptable", "No format you accept"


class TooSlow(Refused):
    status, code, title, retryable = 408, "body_too_slow", "Request body took too long", True


class Conflict(Refused):
    status, code, title = 409, "model_conflict", "Models do not allow it now"


class OverBudget(Conflict):
    code, title = "memory_budget_exceeded", "Memory budget exceeded"


class FileNotReady(Conflict):
    code, title, retryable = "file_not_ready", "File is not translated yet", True


class TooLarge(Refused):
    status, code, title = 413, "body_too_large", "Request body too large"


class ImageTooBig(TooLarge):
    code, title = "image_too_large", "Picture has too many pixels"


class WrongMediaType(Refused):
    status, code, title = 415, "unsupported_media_type", "Unsupported media type"


class Meaningless(Refused):
    status, code, title = 422, "invalid_request", "Invalid request"


class EmptyText(Meaningless):
    code, title = "text_empty", "Text is empty"


class NoWords(Meaningless):
    code, title = "text_without_words", "Text has no words"


class TextTooLong(Meaningless):
    code, title = "text_too_long", "Text is too long"


class Unsayable(Meaningless):
    code, title = "text_unsayable", "Text has what the model never says"


class OtherScript(Meaningless):
    code, title = "text_in_other_script", "Text is not in the source's script"


class UnknownPair(Meaningless):
    code, title = "unsupported_pair", "Unsupported language pair"


class WrongTask(Meaningless):
    code, title = "wrong_task", "Model does another task"


class ImageMissing(Meaningless):
    code, title = "image_missing", "No picture in the request"


class ImageBroken(Meaningless):
    code, title = "image_unreadable", "Picture cannot be read"


class FileMissing(Meaningless):
    code, title = "file_missing", "No file in the request"


class FileUnknown(Meaningless):
    code, title = "file_unsupported", "No kind of file that is translated"


class FileBroken(Meaningless):
    code, title = "file_unreadable", "File cannot be read"


class UrlRefused(Meaningless):
    code, title = "url_refused", "Picture is not fetched from there"


class UrlBroken(Meaningless):
    code, title = "url_unreadable", "Picture could not be fetched"


class Unavailable(HeedError):
    status, code, title, retryable = 503, "unavailable", "Service unavailable", True


class QueueFull(Unavailable):
    status, code, title = 429, "queue_full", "Queue is full"


class RateLimited(Unavailable):
    status, code, title = 429, "rate_limited", "Rate limit reached"


class NotReady(Unavailable):
    code, title = "model_not_ready", "Model is not ready"


class Draining(Unavailable):
    code, title = "draining", "Service is shutting down"


class DeadlinePassed(Unavailable):
    status, code, title = 504, "deadline_exceeded", "Deadline exceeded"


class Broken(HeedError):
    status, code, title = 500, "broken", "Service error"


class EngineFailed(Broken):
    code, title, retryable = "engine_failed", "Engine failed", True


class LoadFailed(Broken):
    code, title = "model_load_failed", "Model could not be loaded"


class InternalError(Broken):
    code, title = "internal_error", "Internal error"


def tree(root: type[HeedError] = HeedError) -> list[type[HeedError]]:
    """Every class below a root, depth first."""
    return [found for child in root.__subclasses__() for found in (child, *tree(child))]
