"""Which language a page comes in."""

import asyncio

import httpx
import pytest
from fastapi import FastAPI

from ui.server import router
from vigla.settings import QuerySettings

APP = FastAPI()
APP.include_router(router(QuerySettings()))


def page(path: str = "/search", **headers: str) -> httpx.Response:
    async def asked() -> httpx.Response:
        async with httpx.AsyncClient(transport=httpx.ASGITransport(APP), base_url="http://vigla") as client:
            return await client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})

    return asyncio.run(asked())


def language(**headers: str) -> str:
    answer = page(**headers)
    language = answer.headers["Content-Language"]
    assert f'<html lang="{language}"' in answer.text
    assert ("查找 Trace" in answer.text) == (language == "zh")
    return language


@pytest.mark.parametrize(
    ("accepted", "expected"),
    [
        ("", "en"),
        ("zh-CN,zh;q=0.9,en;q=0.8", "zh"),
        ("en-GB,en;q=0.9,zh;q=0.8", "en"),
        ("de, zh;q=0.3, en;q=0.2", "zh"),
        ("ZH-Hant", "zh"),
        ("fr;q=1, zh;q=0", "en"),
        ("zh;q=0.4, en;q=0.5", "en"),
        ("*", "en"),
        ("zh;q=high, ;;, ,", "en"),
    ],
)
def test_the_browser_says_what_it_prefers(accepted: str, expected: str) -> None:
    assert language(Accept_Language=accepted) == expected


def test_what_was_chosen_comes_first() -> None:
    assert language(Accept_Language="en", Cookie="vigla-language=zh") == "zh"
    assert language(Accept_Language="zh", Cookie="vigla-language=en") == "en"


def test_a_choice_that_is_none_is_as_good_as_no_choice() -> None:
    assert language(Accept_Language="zh", Cookie="vigla-language=../../x") == "zh"


def test_caches_are_told_what_the_page_depends_on() -> None:
    assert page().headers["Vary"] == "Accept-Language, Cookie"


def test_names_in_a_text_stay_as_they_are() -> None:
    answer = page("/trace/%7Bid%7D%3Cb%3E", Accept_Language="zh")
    assert "<title>Trace {id}&lt;b" in answer.text
