"""One API key: how it is made, what of it is kept, and how one that is shown is compared with what is kept.

Knows nothing of files. A key is `heed_ID_SECRET`: the id is public (lists and logs may name it), the secret is 256
random bits. Of those the SHA-256 is kept. A slow, salted hash is for secrets that people choose: it makes guessing
dear where there are few guesses to make. Nobody guesses 256 random bits, whatever one guess costs, so a slow hash
would only be work that anybody could give us for nothing, once for every request with a wrong key.
"""

from __future__ import annotations

import hashlib
import hmac
import re
import secrets
from typing import Literal

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

Scope = Literal["work", "admin"]
SHAPE = re.compile(r"heed_([0-9a-f]{12})_([A-Za-z0-9_-]{43})")
LONGEST = 256  # characters of anything that is even looked at
NOTHING = hashlib.sha256(secrets.token_bytes(32)).hexdigest()  # compared with where there is no such id


class Key(BaseModel):
    """What is kept of a key. Limits are written as `600/minute;20/second`; none means those of the settings."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    id: str = Field(pattern=r"^[0-9a-f]{12}$")
    name: str = Field(min_length=1, max_length=100)
    sha256: str = Field(pattern=r"^[0-9a-f]{64}$", repr=False)
    scopes: tuple[Scope, ...] = Field(("work",), min_length=1)
    requests: str | None = None
    rows: str | None = None
    created: AwareDatetime
    expires: AwareDatetime | None = None

    @field_validator("requests", "rows")
    @classmethod
    def _readable(cls, value: str | None) -> str | None:
        if value is not None:
            from limits import parse_many  # late: it takes 0.1 s, and few need it

            parse_many(value)  # ValueError says what is wrong with it
        return value

    def opens(self, scope: Scope, now: float) -> bool:
        """Whether it may do this, at this time (seconds since 1970)."""
        return scope in self.scopes and (self.expires is None or now < self.expires.timestamp())


def make() -> tuple[str, str, str]:
    """A new key: the whole, which is shown once; its id; the digest of its secret."""
    id_, secret = secrets.token_hex(6), secrets.token_urlsafe(32)
    return f"heed_{id_}_{secret}", id_, digest(secret)


def digest(secret: str) -> str:
    """What is kept of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def split(shown: str) -> tuple[str, str] | None:
    """Id and secret of something shown as a key; None if it cannot be one."""
    found = SHAPE.fullmatch(shown) if len(shown) <= LONGEST else None
    return (found[1], found[2]) if found else None


def same(kept: Key | None, secret: str) -> bool:
    """Whether a secret is the one; takes as long if there is no such key, and wherever the two differ."""
    return hmac.compare_digest(digest(secret), kept.sha256 if kept else NOTHING) and kept is not None
