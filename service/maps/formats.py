"""Every drawn format by its media type, in the order of preference when a client accepts several alike.

Knows nothing of HTTP: negotiation is the API's, and so is application/json.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

from service.maps import animation, html, npz, png, svg, text
from service.maps.view import View


@dataclass(frozen=True)
class Format:
    """A file's ending, and the function that makes the file: up to a second of arithmetic, off the event loop."""

    extension: str
    render: Callable[[Sequence[View]], bytes]


FORMATS: Mapping[str, Format] = {
    "text/html": Format("html", html.render),
    "image/svg+xml": Format("svg", svg.render),
    "image/png": Format("png", png.render),
    "image/webp": Format("webp", animation.render),
    "image/gif": Format("gif", partial(animation.render, kind="GIF")),
    "text/plain": Format("txt", text.render),
    "application/x-npz": Format("npz", npz.render),
}
