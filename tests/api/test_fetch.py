"""Pictures by address: off by default, and when on, nothing leads anywhere but to a public address of a listed host."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import httpcore
import pytest

from service.api.fetch import MOST_REDIRECTS, Fetch, host_of, public
from service.errors import HeedError, UrlBroken, UrlRefused
from tests.api.asking import picture, problem
from tests.api.conftest import client_of

WHITE = picture(colour="white")
HOSTS = ("pictures.example", ".cdn.example")
PUBLIC = "93.184.216.34"
pytestmark = pytest.mark.anyio


def answer(body: bytes, status: str = "200 OK", *lines: str) -> bytes:
    """A whole answer as it comes over the wire."""
    head = "\r\n".join([f"HTTP/1.1 {status}", f"content-length: {len(body)}", "connection: close", *lines, "", ""])
    return head.encode() + body


def moved(to: str) -> bytes:
    return answer(b"", "302 Found", f"location: {to}")


class Wire(httpcore.AsyncMockBackend):
    """A network that answers in turn, and remembers where connections went."""

    def __init__(self, *answers: bytes) -> None:
        super().__init__([])
        self.answers, self.went = list(answers), list[tuple[str, int]]()

    async def connect_tcp(self, host: str, port: int, *_: Any, **__: Any) -> httpcore.AsyncNetworkStream:
        self.went.append((host, port))
        return httpcore.AsyncMockStream([self.answers.pop(0)])


class Names:
    """A resolver; a name may have other addresses each time it is asked for."""

    def __init__(self, told: Mapping[str, Sequence[Sequence[str]]] | None = None) -> None:
        self.told = {host: list(turns) for host, turns in (told or {}).items()}
        self.asked: list[str] = []

    async def __call__(self, host: str, port: int) -> Sequence[str]:
        self.asked.append(host)
        turns = self.told.get(host, [[PUBLIC]])
        return turns.pop(0) if len(turns) > 1 else turns[0]


def fetching(wire: Wire, names: Names | None = None, **how: Any) -> Fetch:
    return Fetch(
        **{"hosts": HOSTS, "most_bytes": 10_000, "seconds": 20, "wire": wire, "resolve": names or Names(), **how}
    )


async def test_a_picture_of_a_listed_host_is_fetched_from_the_address_that_was_looked_at() -> None:
    wire, names = Wire(answer(WHITE)), Names()
    assert await fetching(wire, names)("https://pictures.example/a.png") == WHITE
    assert wire.went == [(PUBLIC, 443)]
    assert names.asked == ["pictures.example"], "it is resolved once: what it says the next time changes nothing"


ADDRESSES = {
    "file": "file:///etc/passwd",
    "gopher": "gopher://pictures.example/_x",
    "ftp": "ftp://pictures.example/a.png",
    "data": "data:image/png;base64,AAAA",
    "plain http": "http://pictures.example/a.png",
    "no scheme": "//pictures.example/a.png",
    "another port": "https://pictures.example:22/",
    "port zero": "https://pictures.example:0/",
    "port that is none": "https://pictures.example:99999/",
    "user": "https://user@pictures.example/",
    "user that looks like the host": "https://pictures.example@127.0.0.1/",
    "host after a backslash": "https://127.0.0.1\\@pictures.example/",
    "loopback": "https://127.0.0.1/",
    "localhost": "https://localhost/",
    "decimal": "https://2130706433/",
    "octal": "https://0177.0.0.1/",
    "hexadecimal": "https://0x7f.0x0.0x0.0x1/",
    "hexadecimal in one": "https://0x7f000001/",
    "short": "https://127.1/",
    "zero": "https://0/",
    "full-width digits": "https://１２７.0.0.1/",
    "circled digits": "https://①②⑦.⓪.⓪.①/",
    "ideographic full stop": "https://127。0。0。1/",
    "IPv6": "https://[::1]/",
    "IPv6-mapped": "https://[::ffff:127.0.0.1]/",
    "IPv6-mapped in hexadecimal": "https://[::ffff:7f00:1]/",
    "IPv6 with a zone": "https://[fe80::1%25eth0]/",
    "metadata": "https://169.254.169.254/latest/meta-data/",
    "metadata by name": "https://metadata.google.internal/",
    "another host": "https://evil.example/a.png",
    "a host that ends alike": "https://evilpictures.example/",
    "a host that begins alike": "https://pictures.example.evil.com/",
    "a suffix without its dot": "https://evilcdn.example/",
    "the bare suffix": "https://cdn.example/",
    "an empty host": "https:///a.png",
    "a line break": "https://pictures.example/a\r\nx: y",
    "a tab": "https://pictures\t.example/",
    "a space": "https://pictures.example /",
    "no address": "swordfish",
    "a long one": "https://pictures.example/" + "a" * 3000,
}


@pytest.mark.parametrize("url", ADDRESSES.values(), ids=ADDRESSES)
async def test_an_address_that_is_not_plain_https_to_a_listed_host_is_refused_before_anybody_is_asked(url) -> None:
    wire, names = Wire(), Names()
    with pytest.raises(UrlRefused):
        await fetching(wire, names)(url)
    assert not wire.went
    assert not names.asked


@pytest.mark.parametrize("number", ["2130706433", "0x7f.1", "0177.0.0.1", "127.0.0.1", "1.2.3", "a.0x1"])
async def test_no_number_is_a_name_even_if_somebody_lists_it(number) -> None:
    with pytest.raises(UrlRefused):
        host_of(f"https://{number}/", (number,))


@pytest.mark.parametrize(
    "url", ["https://PICTURES.example./a", "https://a.b.cdn.example/", "https://pictures。example/"]
)
async def test_a_listed_host_is_the_same_in_every_spelling(url) -> None:
    assert host_of(url, HOSTS) in ("pictures.example", "a.b.cdn.example")


NOT_PUBLIC = [
    *("127.0.0.1", "127.255.255.254", "0.0.0.0", "10.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.1.1"),  # noqa: S104
    *("169.254.169.254", "100.64.0.1", "192.0.0.1", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1"),
    *("255.255.255.255", "::1", "::", "fe80::1", "fe80::1%eth0", "fc00::1", "fd12::1", "fec0::1", "ff02::1"),
    *("::ffff:127.0.0.1", "::ffff:10.0.0.1", "::ffff:7f00:1", "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b:1::1"),
    *("2002:7f00:1::", "2001::1", "2001:db8::1", "100::1"),
]


@pytest.mark.parametrize("address", NOT_PUBLIC)
async def test_a_listed_name_that_leads_inside_is_refused(address) -> None:
    wire = Wire()
    with pytest.raises(UrlRefused):
        await fetching(wire, Names({"pictures.example": [[address]]}))("https://pictures.example/")
    assert not wire.went


async def test_public_addresses_are_public() -> None:
    assert all(map(public, ["93.184.216.34", "1.1.1.1", "2606:4700::1111", "::ffff:1.1.1.1"]))


async def test_one_address_inside_among_many_is_enough_to_refuse() -> None:
    wire = Wire()
    with pytest.raises(UrlRefused):
        await fetching(wire, Names({"pictures.example": [[PUBLIC, "10.0.0.1"]]}))("https://pictures.example/")
    assert not wire.went


JUDGED = [url for url in ADDRESSES.values() if url.isprintable() and url.isascii() and not url.startswith("https:///")]
JUDGED = [url for url in JUDGED if ":" in url and "swordfish" not in url]  # the others stay on the host: they are fine


async def test_a_name_that_changes_its_address_between_two_steps_gains_nothing() -> None:
    wire = Wire(moved("/again"), answer(WHITE))
    names = Names({"pictures.example": [[PUBLIC], ["127.0.0.1"]]})
    with pytest.raises(UrlRefused):
        await fetching(wire, names)("https://pictures.example/")
    assert wire.went == [(PUBLIC, 443)]


@pytest.mark.parametrize("to", JUDGED)
async def test_a_redirect_is_judged_as_the_first_address_was(to) -> None:
    wire = Wire(moved(to), answer(WHITE))
    with pytest.raises(UrlRefused):
        await fetching(wire)("https://pictures.example/")
    assert len(wire.went) == 1


async def test_a_redirect_to_another_listed_host_is_followed() -> None:
    wire = Wire(moved("https://x.cdn.example/b.png"), answer(WHITE))
    assert await fetching(wire)("https://pictures.example/a.png") == WHITE


async def test_redirects_have_an_end() -> None:
    wire = Wire(*[moved("/again")] * 10)
    with pytest.raises(UrlBroken):
        await fetching(wire)("https://pictures.example/")
    assert len(wire.went) == MOST_REDIRECTS + 1


BROKEN = {
    "not found": answer(b"", "404 Not Found"),
    "too large": answer(bytes(10_001)),
    "compressed": answer(WHITE, "200 OK", "content-encoding: gzip"),
    "no HTTP": b"SSH-2.0-OpenSSH_9.2\r\n",
    "a redirect to nowhere": answer(b"", "302 Found"),
    "cut off": answer(WHITE)[:-10],
}


@pytest.mark.parametrize("came", BROKEN.values(), ids=BROKEN)
async def test_what_is_no_picture_in_time_is_told_without_what_came(came) -> None:
    with pytest.raises(UrlBroken) as found:
        await fetching(Wire(*[came] * 5))("https://pictures.example/")
    assert "SSH" not in found.value.detail


async def test_who_does_not_answer_is_not_waited_for() -> None:
    class Silent(Names):
        async def __call__(self, host: str, port: int) -> Sequence[str]:
            import anyio

            await anyio.sleep_forever()
            return []

    with pytest.raises(UrlBroken):
        await fetching(Wire(), Silent(), seconds=0.01)("https://pictures.example/")


async def test_only_so_many_are_fetched_at_once() -> None:
    fetch = fetching(Wire())
    fetch.running = 8
    with pytest.raises(HeedError, match="Too many"):
        await fetch("https://pictures.example/")


async def test_by_default_nothing_is_fetched_and_nothing_of_the_address_is_told(client) -> None:
    told = await client.post("/v1/caption", json={"image_url": "https://swordfish.example/"})
    problem(told, 422, "url_refused")
    assert "swordfish" not in told.text


async def test_a_fetched_picture_is_described(link) -> None:
    async with client_of(link, fetch=fetching(Wire(answer(WHITE)))) as client:
        asked = {"image_url": "https://pictures.example/a.png"}
        assert (await client.post("/v1/caption", json=asked)).json()["results"][0]["text"] == "white"


async def test_a_picture_and_its_address_are_one_too_many(link) -> None:
    wire = Wire(answer(WHITE))
    async with client_of(link, fetch=fetching(wire)) as client:
        url = {"image_url": "https://pictures.example/"}
        asked = await client.post("/v1/caption", files={"file": ("a.png", WHITE)}, data=url)
        problem(asked, 422, "invalid_request")
    assert not wire.went
