"""Pictures from addresses on the web: only from hosts on a list, and only if they lead to public addresses.

Knows nothing of pictures. What resists what: names are compared after they were normalised, so no spelling of an
address gets in; a host is resolved once for each connection, every address it has must be public, and the connection
goes to one of those very addresses, so an answer that changes afterwards changes nothing; a redirect begins anew;
no proxy, cookie or decompression takes part. TLS proves that who answers is who was named.
"""

from __future__ import annotations

import asyncio
import ipaddress
import re
import socket
import ssl
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urljoin, urlsplit

import httpcore
import idna
from httpcore import SOCKET_OPTION

from service.errors import HeedError, QueueFull, UrlBroken, UrlRefused, Where

LONGEST, MOST_REDIRECTS, AT_ONCE = 2048, 3, 8  # characters; steps; fetches, each of which may hold a whole picture
HEADERS = [(b"Accept", b"image/*"), (b"Accept-Encoding", b"identity"), (b"User-Agent", b"Heed")]
LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
Resolve = Callable[[str, int], Awaitable[Sequence[str]]]
TUNNELS = [ipaddress.ip_network(one) for one in ("64:ff9b::/96", "64:ff9b:1::/48", "2002::/16", "2001::/32", "::/96")]


def host_of(url: str, allowed: Iterable[str]) -> str:
    """The host of an address that may be fetched, lower-case ASCII.

    Raises:
        UrlRefused: anything but https://HOST/PATH with a host on the list.
    """
    try:
        if len(url) > LONGEST or not url.isprintable() or "\\" in url or " " in url:
            raise _refused("is too long or has characters that no address has")
        parts = urlsplit(url)
        if parts.scheme != "https" or parts.username is not None or parts.port not in (None, 443):
            raise _refused("is not plain https://host/path")
        host = idna.encode((parts.hostname or "").rstrip("."), uts46=True, transitional=False).decode()
    except (ValueError, UnicodeError):  # idna's errors are the latter
        raise _refused("has a host that is no name") from None
    labels = host.split(".")
    numeric = labels[-1].isdigit() or labels[-1].startswith("0x")  # what browsers and libc read as an address
    if numeric or len(labels) < 2 or not all(map(LABEL.fullmatch, labels)):
        raise _refused("has a host that is no public name")
    if not any(host == one or (one.startswith(".") and host.endswith(one)) for one in allowed):
        raise _refused("has a host that is not on this server's list")
    return host


def public(address: str) -> bool:
    """Whether an IP address is one of the public Internet, and not a way to another one."""
    found = ipaddress.ip_address(address.partition("%")[0])
    if isinstance(found, ipaddress.IPv6Address):
        if found.ipv4_mapped is not None:
            return public(str(found.ipv4_mapped))
        if any(found in net for net in TUNNELS) or found.is_site_local:
            return False
    return found.is_global and not (found.is_multicast or found.is_reserved or found.is_unspecified)


async def resolved(host: str, port: int) -> Sequence[str]:
    """Every address that a name has now."""
    found = await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


class Pinned(httpcore.AsyncNetworkBackend):
    """Connects to the very addresses that were looked at."""

    def __init__(self, wire: httpcore.AsyncNetworkBackend, resolve: Resolve) -> None:
        self.wire, self.resolve = wire, resolve

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109  the signature is httpcore's
        local_address: str | None = None,
        socket_options: Iterable[SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """Connect.

        Raises:
            UrlRefused: one of the addresses of the name is not public.
        """
        addresses = await self.resolve(host, port)
        if not addresses or not all(map(public, addresses)):
            raise _refused("has a host that leads to no public address")
        return await self.wire.connect_tcp(addresses[0], port, timeout, local_address, socket_options)

    async def connect_unix_socket(self, path: str, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        """Never.

        Raises:
            UrlRefused: always.
        """
        raise _refused("is not plain https://host/path")

    async def sleep(self, seconds: float) -> None:
        """Between two attempts, of which there is one."""
        await asyncio.sleep(seconds)


@dataclass
class Fetch:
    """Fetches. `wire` and `resolve` are the network; tests bring their own."""

    hosts: tuple[str, ...]
    most_bytes: int
    seconds: float
    wire: httpcore.AsyncNetworkBackend = field(default_factory=httpcore.AnyIOBackend)
    resolve: Resolve = resolved
    trust: ssl.SSLContext = field(default_factory=ssl.create_default_context)
    running: int = 0

    async def __call__(self, url: str) -> bytes:
        """The bytes at an address.

        Raises:
            UrlRefused: it may not be fetched, or leads to one that may not.
            UrlBroken: nothing usable came in time.
            QueueFull: too many are being fetched.
        """
        host_of(url, self.hosts)
        if self.running >= AT_ONCE:
            raise QueueFull("Too many pictures are being fetched.", limit=AT_ONCE)
        self.running += 1
        try:
            async with asyncio.timeout(self.seconds):
                return await self._followed(url)
        except HeedError:
            raise
        except Exception:  # noqa: BLE001  what the network says may tell of what is inside ours
            raise _broken("did not answer as it should") from None
        finally:
            self.running -= 1

    async def _followed(self, url: str) -> bytes:
        for _ in range(MOST_REDIRECTS + 1):
            host_of(url, self.hosts)
            async with httpcore.AsyncConnectionPool(
                ssl_context=self.trust, network_backend=Pinned(self.wire, self.resolve), retries=0
            ) as pool:
                body, place = await self._once(pool, url)
            if body is not None:
                return body
            url = urljoin(url, place)
        raise _broken("leads on and on")

    async def _once(self, pool: httpcore.AsyncConnectionPool, url: str) -> tuple[bytes | None, str]:
        """The body, or where else it is said to be."""
        async with pool.stream("GET", url.partition("#")[0].encode(), headers=HEADERS) as answer:
            headers = {name.lower(): value for name, value in answer.headers}
            if answer.status in (301, 302, 303, 307, 308):
                return None, headers.get(b"location", b"").decode("ascii")
            if answer.status != 200 or headers.get(b"content-encoding", b"identity") != b"identity":
                raise _broken("did not answer as it should")
            body = bytearray()
            async for chunk in answer.aiter_stream():
                body += chunk
                if len(body) > self.most_bytes:
                    raise _broken(f"has more than {self.most_bytes} bytes")
            return bytes(body), ""


def _refused(why: str) -> UrlRefused:
    return UrlRefused(f"The picture's address {why}.", errors=(Where("/image_url", why),))


def _broken(why: str) -> UrlBroken:
    return UrlBroken(f"The picture's address {why}.", errors=(Where("/image_url", why),))
