"""Headers that tell browsers what an answer may do: by default nothing at all.

Knows nothing of pages: those that need more say so themselves, and their word is left alone.
"""

from __future__ import annotations

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NOTHING = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
DEFAULTS = {
    "Content-Security-Policy": NOTHING,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Resource-Policy": "same-origin",  # no other page shows what is answered here as its picture
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=(), payment=()",
}
DRAWN = {  # an answer that is opened as a page of its own: apart from ours, whatever stands in it
    "image/svg+xml": "default-src 'none'; img-src data:; sandbox",
    "text/html": "frame-ancestors 'self'; sandbox allow-scripts",  # what may run there its own meta element says
}


class SecurityHeaders:
    """ASGI middleware: gives every answer the headers that it does not bring."""

    def __init__(self, app: ASGIApp) -> None:
        self.app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return

        async def headed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                media = headers.get("content-type", "").partition(";")[0]
                headers.setdefault("Content-Security-Policy", DRAWN.get(media, NOTHING))
                for name, value in DEFAULTS.items():
                    headers.setdefault(name, value)
            await send(message)

        await self.app(scope, receive, headed)
