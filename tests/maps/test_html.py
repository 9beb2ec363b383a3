"""The standalone page. Knows nothing of browsers but what HTML says."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import numpy as np

from service.maps import html
from tests.maps.examples import ANSWER, EVERY_KIND, MERGED, WHOLE, looking_at, nasty, translated


class Page(HTMLParser):
    """What a browser would find: elements with their attributes, and the text of each kind of element."""

    def __init__(self, page: bytes) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []
        self.texts: dict[str, str] = {}
        self.open = ""
        self.feed(page.decode())

    def handle_starttag(self, tag, attrs):
        self.found.append((tag, dict(attrs)))
        self.open = tag

    def handle_endtag(self, tag):
        self.open = ""

    def handle_data(self, data):
        self.texts[self.open] = self.texts.get(self.open, "") + data


def test_html_has_one_script_and_one_style_whose_digests_its_policy_allows():
    page = Page(html.render([nasty(), looking_at(1, 2, (90, 60), WHOLE)]))
    tags = [tag for tag, _ in page.found]
    assert (tags.count("script"), tags.count("style")) == (1, 1)
    policy = next(attrs["content"] for tag, attrs in page.found if attrs.get("http-equiv") == "Content-Security-Policy")
    for kind in ("script", "style"):
        digest = base64.b64encode(hashlib.sha256(page.texts[kind].encode()).digest()).decode()
        assert f"{kind}-src 'sha256-{digest}'" in (policy or "")
    assert (policy or "").startswith("default-src 'none'")


def test_html_asks_nobody_for_anything():
    page = Page(html.render(EVERY_KIND["both"]))
    for _, attrs in page.found:
        for name, value in attrs.items():
            assert name not in ("style", "src") and not name.startswith("on")
            assert name != "href" or (value or "").startswith(("data:image/", "#photo-"))
    assert not re.search(rb"https?:|url\(|@import", html.render(EVERY_KIND["both"]))


def test_html_escapes_what_users_write():
    page = html.render([nasty()]).decode()
    assert "<script>alert" not in page
    assert "&lt;script&gt;alert(1)&lt;/script&gt;&amp;&quot;&#x27;" in page


def test_html_shows_the_sentences_as_they_are_with_every_word_to_be_pointed_at():
    page = html.render([translated()]).decode()
    sentence = page[page.index("<h2") : page.index("</h2>")]
    assert re.sub(r"<[^>]*>", "", sentence) == ANSWER
    assert '<span class="word" tabindex="0" data-t="1">brennen</span>' in sentence
    assert '<span class="word" tabindex="0" data-s="3">.</span>' in page


def test_the_table_of_the_page_can_be_read_without_seeing_colours():
    page = html.render([translated()]).decode()
    body = page[page.index("<tbody>") : page.index("</tbody>")]
    cells = [[float(w) for w in re.findall(r'hidden">([\d.]+)<', row)] for row in body.split("<tr>")[1:]]
    np.testing.assert_allclose(cells, MERGED, atol=1e-3)
    assert page.count('<th scope="col"') == 5
    assert page.count('<th scope="row"') == 2


def test_a_pictures_light_is_also_said_in_words():
    page = html.render([looking_at(1, 2, (90, 60), WHOLE)]).decode()
    assert 'aria-label="dog: brightest at row 2 of 4, column 3 of 6, 100.0 %"' in page
