"""The few pages for people: the start, the list of routes, the list of errors. They fetch nothing from elsewhere.

Knows nothing of tasks: the list of routes is drawn in the browser from /openapi.json.
"""

from collections.abc import Awaitable, Callable
from html import escape
from pathlib import Path

from fastapi import APIRouter
from starlette.responses import Response

from service.errors import HeedError, tree

FOLDER = Path(__file__).parent.parent / "playground"
KINDS = {".html": "text/html", ".css": "text/css", ".js": "text/javascript", ".svg": "image/svg+xml"}
PATHS = {"/": "index.html", "/docs": "docs.html"}
# Nothing inline, and nothing from elsewhere.
POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; img-src 'self' data: blob:; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Permissions-Policy": "camera=(self), geolocation=(), microphone=(), payment=()",  # a picture may be taken
}


def pages() -> APIRouter:
    """Routes of the pages, read once."""
    router = APIRouter(include_in_schema=False)
    assets = {f"/assets/{file.name}": file for file in sorted(FOLDER.iterdir()) if file.suffix != ".html"}
    for path, file in {**{path: FOLDER / name for path, name in PATHS.items()}, **assets}.items():
        router.add_api_route(path, _page(file.read_bytes(), KINDS[file.suffix]), methods=["GET"], response_model=None)
    router.add_api_route("/docs/errors", _page(errors(), "text/html"), methods=["GET"], response_model=None)
    return router


def _page(content: bytes, media: str) -> Callable[[], Awaitable[Response]]:
    async def page() -> Response:
        return Response(content, headers=HEADERS, media_type=f"{media}; charset=utf-8")

    return page


def errors() -> bytes:
    """Every error with a code, as `type` of a problem links to it."""
    told = "".join(map(_told, tree()))
    return (
        '<!doctype html><html lang="en"><meta charset="utf-8"><title>Heed: errors</title>'
        '<link rel="icon" href="/assets/icon.svg"><link rel="stylesheet" href="/assets/page.css">'
        f"<main><h1>Errors</h1><dl>{told}</dl></main></html>"
    ).encode()


def _told(kind: type[HeedError]) -> str:
    again = "may pass later" if kind.retryable else "fails again"
    title = f"{escape(kind.title)}. The same request {again}."
    return f'<dt id="{kind.code}"><code>{kind.code}</code> · {kind.status}</dt><dd>{title}</dd>'
