"""What is written to a connection in one turn of the event loop goes out together.

uvicorn writes an answer's head and then its body, each a call of the system, and those were a sixth of what an answer
cost the front. Knows nothing of HTTP.
"""

from __future__ import annotations

import asyncio
from typing import Any


class Joined:
    """Stands in for a transport; what it does not do itself, the transport does."""

    def __init__(self, transport: asyncio.Transport, loop: asyncio.AbstractEventLoop) -> None:
        self.transport, self.loop = transport, loop
        self.parts: list[bytes] = []  # written, and to be sent at the end of this turn

    def __getattr__(self, name: str) -> Any:
        return getattr(self.transport, name)

    def write(self, data: bytes) -> None:
        """Send it, with whatever else is written in this turn."""
        if not self.parts:
            self.loop.call_soon(self.flush)
        self.parts.append(data)

    def flush(self) -> None:
        """Send what was written, unless nobody can hear it any more."""
        parts, self.parts = self.parts, []
        if parts and not self.transport.is_closing():
            self.transport.write(b"".join(parts))

    def close(self) -> None:
        """Send what was written, and close."""
        self.flush()
        self.transport.close()
