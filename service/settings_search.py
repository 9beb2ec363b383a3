"""Those of the settings that bound what a search says and looks at.

Knows nothing of what the values are used for.
"""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings


class SearchSettings(BaseSettings):
    """A part of `Settings`, which is where they are read."""

    max_repeats: int = Field(
        3, ge=0, le=1024, description="Times in a row an answer says the same, unless its source does; 0 is no bound."
    )
    prune_nats: float = Field(
        3.0, ge=0, le=1000, description="A hypothesis so far behind the best is given up: one in four is; 0 is never."
    )
