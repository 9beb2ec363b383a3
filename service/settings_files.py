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
    files_share: float = Field(
        0.75, gt=0, le=1, description="Of the places, and of the room, for one client: the rest is for others."
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
    max_file_entries: int = Field(2000, ge=10, description="Parts of such an archive: a report with 1,900 pictures.")
    max_file_elements: int = Field(
        1_000_000, ge=1000, description="Tags and attributes in it: a tree takes 130 to 290 bytes for each."
    )
    max_file_nesting: int = Field(
        8, ge=1, le=100, description="Paragraphs in one another, as notes and frames are; each reads all that is in it."
    )
    max_file_namespaces: int = Field(
        500, ge=50, description="At one place of its XML, each a step for what is put there; Word has some 40."
    )
    max_file_lines: int = Field(
        5000, ge=100, description="Of one entry of a .po file, for the time it takes grows with their square."
    )
