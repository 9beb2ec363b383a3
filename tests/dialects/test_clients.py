"""Other services' own clients, as their registries have them, against a real server: each believes we are theirs."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import urllib.error
from contextlib import closing
from pathlib import Path
from typing import Any

import deepl
import httpx
import pytest
from deep_translator import LibreTranslator
from deep_translator.exceptions import AuthorizationException, ServerException
from libretranslatepy import LibreTranslateAPI

from service.api.texts import MARKUP
from service.tasks.translate import TASK
from tests.dialects.conftest import Served

TEXT = "A small dog runs through the park."
GERMAN = "Ein kleines Haus steht am Fluss."
NPM = Path(__file__).parent / "npm"
NODE = shutil.which("node")
no_npm = pytest.mark.skipif(
    NODE is None or not (NPM / "node_modules/libretranslate").is_dir(),
    reason="the npm client libretranslate is not installed: `make test` does, where there is npm",
)


def test_libretranslatepy_translates_detects_and_lists(served: Served) -> None:
    for api_key in (None, "", served.key):
        client = LibreTranslateAPI(served.url, api_key)
        assert client.translate(TEXT, "en", "de") == served.ours(TEXT)
        assert client.translate("… & %= +?", "fr", "de") == "… & %= +?", "no words: it comes back as it is"
        found = client.detect(GERMAN)
        assert found[0]["language"] == "de" and 50 < found[0]["confidence"] <= 100
        there = {one["code"]: one["targets"] for one in client.languages()}
        assert set(there["en"]) == {"de", "fr"} and there["fr"] == ["de"]
        assert there["de"] == ["en", "fr"], "to French through English"


def test_a_long_text_keeps_its_paragraphs_and_other_languages_lie_between(served: Served) -> None:
    client = LibreTranslateAPI(served.url)
    assert client.translate(f"{TEXT} Dogs.\n\n  {TEXT}\n", "en", "de") == (
        f"{served.ours(TEXT)} {served.ours('Dogs.')}\n\n  {served.ours(TEXT)}\n"
    )
    assert client.translate("the old house", "de", "fr") == "the old house", "two toys that echo"


def test_libretranslatepy_hears_of_errors_by_their_status(served: Served) -> None:
    for client, source, status in (
        (LibreTranslateAPI(served.url, "swordfish"), "en", 403),
        (LibreTranslateAPI(served.url), "zz", 400),
    ):
        with pytest.raises(urllib.error.HTTPError) as raised:
            client.translate(TEXT, source, "de")
        with raised.value as answer:
            assert answer.code == status and list(json.loads(answer.read())) == ["error"]


def test_deep_translator_puts_everything_into_the_query(served: Served) -> None:
    client = LibreTranslator("en", "de", api_key=served.key, custom_url=f"{served.url}/")
    assert client.translate(TEXT) == served.ours(TEXT)
    assert client.translate_batch([TEXT, "Dogs"]) == [served.ours(TEXT), served.ours("Dogs")]
    assert LibreTranslator("auto", "de", api_key=served.key, custom_url=f"{served.url}/").translate(TEXT)


def test_deep_translator_knows_our_refusals_by_its_own_exceptions(served: Served) -> None:
    with pytest.raises(AuthorizationException):
        LibreTranslator("en", "de", api_key="swordfish", custom_url=f"{served.url}/").translate(TEXT)
    with pytest.raises(ServerException):
        LibreTranslator("fr", "es", api_key=served.key, custom_url=f"{served.url}/").translate(TEXT)


def npm(served: Served, **asked: Any) -> dict[str, Any]:
    """What the npm client says."""
    command = [str(NODE), "ask.js", served.url, json.dumps(asked)]
    ended = subprocess.run(command, cwd=NPM, capture_output=True, text=True, timeout=60, check=True)
    found: dict[str, Any] = json.loads(ended.stdout)
    return found


@no_npm
def test_the_npm_client_translates_with_its_key_misnamed(served: Served) -> None:
    assert npm(served, query=TEXT, source="en", target="de", apiKey="whatever") == {"said": served.ours(TEXT)}
    assert npm(served, query=TEXT, target="de")["said"], "its default source is auto"
    assert "not found" in npm(served, query=TEXT, source="zz", target="de")["error"], "it looked into our languages"


def test_what_the_npm_client_sends_is_answered(served: Served) -> None:
    """Its two requests, letter by letter, for machines where it cannot be installed."""
    with httpx.Client(base_url=served.url, headers={"content-type": "application/json", "accept": "*/*"}) as client:
        assert {"en", "de"} <= {language["code"] for language in client.get("/languages").json()}
        body = json.dumps({"q": TEXT, "source": "en", "target": "de", "format": "text", "apiKey": ""})
        assert client.post("/translate", content=body).json() == {"translatedText": served.ours(TEXT)}


def test_weblates_requests_are_answered(served: Served) -> None:
    texts = [TEXT, "Dogs", "%s", "", *(f"{number} dogs" for number in range(16))]
    assert len(texts) == 20
    with httpx.Client(base_url=served.url) as client:
        assert {"en", "de"} <= {language["code"] for language in client.get("/languages").json()}
        for api_key in ("", served.key):
            asked = {"api_key": api_key, "q": texts, "source": "en", "target": "de"}
            told = client.post("/translate", json=asked).json()
            assert list(told) == ["translatedText"] and len(told["translatedText"]) == 20
            assert told["translatedText"][:4] == [served.ours(TEXT), served.ours("Dogs"), told["translatedText"][2], ""]


def test_mastodons_requests_are_answered_with_its_tags(served: Served) -> None:
    """HTML always, the post's language or auto; 403 is a quota to it, and 429 too many requests."""
    if MARKUP not in TASK.request.model_fields:
        pytest.skip("html is not understood yet")
    post = f"<p>{TEXT}</p><p>Two dogs.<br>A cat.</p>"
    for source in ("en", "auto"):
        asked = {"q": post, "source": source, "target": "de", "format": "html", "api_key": served.key}
        said = httpx.post(f"{served.url}/translate", json=asked).json()["translatedText"]
        assert re.findall("<[^>]*>", said) == ["<p>", "</p>", "<p>", "<br>", "</p>"] and TEXT not in said
    asked = {"q": post, "source": "en", "target": "de", "format": "html", "api_key": "swordfish"}
    assert httpx.post(f"{served.url}/translate", json=asked).status_code == 403


def test_deepls_client_translates_one_text_or_several(served: Served) -> None:
    with closing(deepl.DeepLClient(served.key, server_url=served.url)) as client:
        one: Any = client.translate_text(TEXT, source_lang="EN", target_lang="DE")
        assert (one.text, one.detected_source_lang, one.billed_characters) == (served.ours(TEXT), "EN", len(TEXT))
        several: Any = client.translate_text(
            [f"{GERMAN} {GERMAN}", f"{TEXT} {TEXT}"], target_lang="EN-US", model_type="latency_optimized"
        )
        assert [said.detected_source_lang for said in several] == ["DE", "EN"]
        assert several[1].text == f"{TEXT} {TEXT}" and several[1].model_type_used == "latency_optimized"
        more: Any = {"context": "A park.", "split_sentences": "0", "preserve_formatting": True, "formality": "default"}
        helped: Any = client.translate_text(TEXT, source_lang="EN", target_lang="DE", **more)
        assert helped.text == one.text


def test_deepls_client_lists_languages_and_usage(served: Served) -> None:
    with closing(deepl.DeepLClient(served.key, server_url=served.url)) as client:
        assert {language.code: language.name for language in client.get_source_languages()} == {
            "EN": "English",
            "FR": "French",
            "DE": "German",
        }
        assert {language.code for language in client.get_target_languages()} == {"DE", "EN-GB", "EN-US", "FR"}
        assert not any(language.supports_formality for language in client.get_target_languages())
        before = client.get_usage().character.count or 0
        client.translate_text("Dogs", target_lang="DE", source_lang="EN")
        assert client.get_usage().character.count == before + 4
        assert not client.get_usage().any_limit_reached


def test_deepls_client_knows_our_refusals_by_its_own_exceptions(served: Served) -> None:
    with (
        closing(deepl.DeepLClient("swordfish", server_url=served.url)) as client,
        pytest.raises(deepl.AuthorizationException),
    ):
        client.translate_text(TEXT, target_lang="DE")
    with closing(deepl.DeepLClient(served.key, server_url=served.url)) as client:
        wrong: list[Any] = [{"glossary": "abc"}, {"formality": "more"}, {"custom_instructions": ["be brief"]}]
        for asked in wrong:
            with pytest.raises(deepl.DeepLException, match="is not supported"):
                client.translate_text(TEXT, source_lang="EN", target_lang="DE", **asked)
        with pytest.raises(deepl.DeepLException, match="JA is not supported"):
            client.translate_text(TEXT, target_lang="JA")
    with closing(deepl.DeepLClient(served.poor, server_url=served.url)) as client:
        client.translate_text("Dogs", source_lang="EN", target_lang="DE")
        with pytest.raises(deepl.QuotaExceededException):
            client.translate_text("Dogs", source_lang="EN", target_lang="DE")
