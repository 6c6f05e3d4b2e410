"""Every text of the pages has its translation."""

import re

import orjson
import pytest

from tests.ui.sources import shown
from ui.assets import STATIC
from ui.language import ENGLISH, LANGUAGES, catalogue

NAMED = re.compile(r"\{\w+\}")
OTHERS = sorted(LANGUAGES.keys() - {ENGLISH})


@pytest.fixture(params=OTHERS)
def texts(request: pytest.FixtureRequest) -> dict[str, str]:
    read: dict[str, str] = orjson.loads((STATIC / catalogue(request.param)).read_bytes())
    return read


def test_all_texts_that_are_shown_and_no_other(texts: dict[str, str]) -> None:
    keys = shown()
    assert sorted(keys - texts.keys()) == []
    assert sorted(texts.keys() - keys) == []


def test_the_same_values_stand_in_both(texts: dict[str, str]) -> None:
    odd = {
        text for text, there in texts.items() if sorted(NAMED.findall(text)) != sorted(NAMED.findall(there))
    }
    assert odd == set()


def test_space_around_a_fragment_stays_where_the_language_needs_it(texts: dict[str, str]) -> None:
    assert all(there.strip() for there in texts.values())


def test_catalogues_are_sorted(texts: dict[str, str]) -> None:
    assert list(texts) == sorted(texts)
