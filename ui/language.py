"""The language of the pages: English, or another one that has a catalogue.

A catalogue is ``static/texts/<language>.json``: an object of English texts and what they are called there.
Templates and scripts read the same file; what it lacks is shown in English.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final

import orjson
from fastapi import Request

from ui.assets import STATIC

ENGLISH: Final = "en"
LANGUAGES: Final = {ENGLISH: "English", "zh": "中文"}
"""BCP 47 primary subtags, and what the languages call themselves."""
COOKIE: Final = "vigla-language"

_NAMED = re.compile(r"\{(\w+)\}")

Translate = Callable[..., str]


class Texts:
    """The catalogues, read once."""

    def __init__(self, root: Path = STATIC) -> None:
        """Read them.

        Raises:
            FileNotFoundError: a language has none.
        """
        self._catalogues: dict[str, dict[str, str]] = {ENGLISH: {}}
        for language in LANGUAGES.keys() - {ENGLISH}:
            self._catalogues[language] = orjson.loads((root / catalogue(language)).read_bytes())

    def translate(self, language: str) -> Translate:
        """A function from an English text, with values for its names in braces, to the text there."""
        texts = self._catalogues[language]

        def translated(text: str, /, **values: str) -> str:
            return _NAMED.sub(lambda name: values.get(name[1], name[0]), texts.get(text, text))

        return translated


def catalogue(language: str) -> str:
    """The asset with the texts of a language other than English."""
    return f"texts/{language}.json"


def language_of(request: Request) -> str:
    """What the reader chose before, else what the browser prefers (RFC 9110 section 12.5.4)."""
    chosen = request.cookies.get(COOKIE)
    if chosen in LANGUAGES:
        return chosen
    accepted = _accepted(request.headers.get("Accept-Language", ""))
    return next((language for language in accepted if language in LANGUAGES), ENGLISH)


def _accepted(header: str) -> Iterator[str]:
    """Primary subtags, the preferred one first; without those whose weight is zero or unreadable."""
    weighed: list[tuple[float, str]] = []
    for part in header.split(","):
        tag, _, parameter = part.strip().partition(";")
        weight = _weight(parameter)
        if weight > 0:
            weighed.append((weight, tag.strip().partition("-")[0].lower()))
    return (tag for _, tag in sorted(weighed, key=lambda one: -one[0]))


def _weight(parameter: str) -> float:
    if not parameter:
        return 1.0
    found = re.fullmatch(r"\s*q=([01](?:\.\d{0,3})?)\s*", parameter)
    return float(found[1]) if found else 0.0
