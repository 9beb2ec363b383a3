"""Those of the settings that bound files which are brought to be translated.

Knows nothing of what the values are used for.
"""

from __future__ import annotations

from pydantic import Field
from pydantic_settings import BaseSettings


class FileSettings(BaseSettings):
    """A part of `Settings`, which is where they are read."""

    max_files: int = Field(
        64, ge=1, le=65536, description="Files kept, waiting or translated; in memory, for as long as files_seconds."
    )
    max_files_bytes: int = Field(
        256 * 2**20, ge=1024, description="Of all of them, as they came and as they are: as max_bodies_bytes."
    )
    files_seconds: float = Field(
        3600.0, gt=0, le=86400 * 7, description="Until a file is forgotten: an hour is time to fetch it."
    )
    files_together: int = Field(
        2, ge=1, le=64, description="Files at work at once, 32 texts each: they fill what others leave of the table."
    )
    max_file_texts: int = Field(
        20_000, ge=1, description="Paragraphs, cues or cells of a file: a thick book has 10,000."
    )
    max_file_characters: int = Field(
        2_000_000, ge=1, description="Of all texts of a file: a book of 800 pages; an hour of one core."
    )
    max_file_unpacked_bytes: int = Field(
        64 * 2**20, ge=1024, description="What a .docx or .odt may unpack to: small ones can be made to hold anything."
    )
