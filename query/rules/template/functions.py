"""Functions of templates: Prometheus' and those that Go has built in.

Source: Prometheus, "Template reference"; Go, package text/template, "Functions".
"""

import html
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, quote_plus, urlsplit

from query.rules.template.ast import TemplateError
from query.rules.template.numbers import (
    humanize,
    humanize1024,
    humanize_duration,
    humanize_percentage,
    humanize_timestamp,
    printf,
    spelled,
)
from vigla.prometheus.durations import parse_duration
from vigla.prometheus.regex import RegexError, compile_regex, expanded

MS_PER_S = 1000
_PORT = re.compile(r":\d+$")


@dataclass(frozen=True, slots=True)
class Sample:
    """One element of what ``query`` gives; its fields as templates name them."""

    Labels: Mapping[str, str]
    Value: float


@dataclass(frozen=True, slots=True)
class Environment:
    """What functions need besides their arguments.

    Attributes:
        query: evaluates PromQL at the rule's time.
        external_url: by which people reach the server.
        now_ms: the rule's time.
    """

    query: Callable[[str], Sequence[Sample]]
    external_url: str
    now_ms: int


def functions(environment: Environment) -> dict[str, Callable[..., Any]]:
    """All functions by name."""
    return {
        **_PLAIN,
        "query": environment.query,
        "externalURL": lambda: environment.external_url,
        "pathPrefix": lambda: urlsplit(environment.external_url).path,
        "now": lambda: environment.now_ms / MS_PER_S,
    }


def truthy(value: object) -> bool:
    """Whether ``if`` takes a value for true: not empty, not zero."""
    return value is not None and (value != 0 if isinstance(value, int | float) else bool(value))


def _number(value: Any) -> float:
    try:
        return float(value)
    except (TypeError, ValueError) as error:
        raise TemplateError(f"can't convert {spelled(value)} to float") from error


def _first(samples: Sequence[Sample]) -> Sample:
    if not samples:
        raise TemplateError("first() called on vector with no elements")
    return samples[0]


def _link(tab: int) -> Callable[[str], str]:
    return lambda expression: f"/graph?g0.expr={quote_plus(expression)}&g0.tab={tab}"


def _compiled(pattern: str) -> Any:
    try:
        return compile_regex(pattern)
    except RegexError as error:
        raise TemplateError(str(error)) from error


def _replaced(pattern: str, replacement: str, text: str) -> str:
    changed: str = _compiled(pattern).sub(lambda found: expanded(replacement, found), text)
    return changed


def _host(address: str) -> str:
    return _PORT.sub("", address).strip("[]") if address.startswith("[") else _PORT.sub("", address)


def _domainless(address: str) -> str:
    host, port = _host(address), _PORT.search(address)
    if ":" in host or host.replace(".", "").isdigit():
        return address
    return host.split(".")[0] + (port[0] if port else "")


def _duration(text: str) -> float:
    try:
        return parse_duration(text) / MS_PER_S
    except ValueError as error:
        raise TemplateError(str(error)) from error


def _index(item: Any, *keys: Any) -> Any:
    for key in keys:
        try:
            item = item.get(key, "") if isinstance(item, Mapping) else item[key]
        except (IndexError, TypeError) as error:
            raise TemplateError(f"error calling index: {error}") from error
    return item


def _compare(test: Callable[[Any, Any], bool]) -> Callable[[Any, Any], bool]:
    def compared(left: Any, right: Any) -> bool:
        try:
            return test(left, right)
        except TypeError as error:
            raise TemplateError("incompatible types for comparison") from error

    return compared


def _and(*values: object) -> object:
    return next((value for value in values if not truthy(value)), values[-1])


def _or(*values: object) -> object:
    return next((value for value in values if truthy(value)), values[-1])


def _sorted(label: str, samples: Sequence[Sample]) -> list[Sample]:
    return sorted(samples, key=lambda sample: sample.Labels.get(label, ""))


def _slice(item: Any, *bounds: int) -> Any:
    return item[slice(*bounds)] if bounds else item


def _text(*values: object) -> str:
    """Go's ``Sprint``: a space between two neighbours that are no strings."""
    made = ""
    for place, value in enumerate(values):
        if place and not isinstance(value, str) and not isinstance(values[place - 1], str):
            made += " "
        made += spelled(value)
    return made


_PLAIN: dict[str, Callable[..., Any]] = {
    "first": _first,
    "label": lambda name, sample: sample.Labels.get(name, ""),
    "value": lambda sample: sample.Value,
    "strvalue": lambda sample: sample.Labels.get("__value__", ""),
    "args": lambda *values: {f"arg{place}": value for place, value in enumerate(values)},
    "reReplaceAll": _replaced,
    "safeHtml": lambda text: text,
    "match": lambda pattern, text: _compiled(pattern).search(text) is not None,
    "title": lambda text: re.sub(r"\b\w", lambda found: found[0].upper(), text),
    "toUpper": str.upper,
    "toLower": str.lower,
    "graphLink": _link(0),
    "tableLink": _link(1),
    "sortByLabel": _sorted,
    "stripPort": _host,
    "stripDomain": _domainless,
    "humanize": lambda value: humanize(_number(value)),
    "humanize1024": lambda value: humanize1024(_number(value)),
    "humanizeDuration": lambda value: humanize_duration(_number(value)),
    "humanizePercentage": lambda value: humanize_percentage(_number(value)),
    "humanizeTimestamp": lambda value: humanize_timestamp(_number(value)),
    "toTime": lambda value: humanize_timestamp(_number(value)),
    "toDuration": lambda value: humanize_duration(_number(value)),
    "parseDuration": _duration,
    "urlQueryEscape": quote_plus,
    "and": _and,
    "or": _or,
    "not": lambda value: not truthy(value),
    "eq": lambda left, *others: any(left == other for other in others),
    "ne": lambda left, right: left != right,
    "lt": _compare(lambda left, right: left < right),
    "le": _compare(lambda left, right: left <= right),
    "gt": _compare(lambda left, right: left > right),
    "ge": _compare(lambda left, right: left >= right),
    "len": len,
    "index": _index,
    "slice": _slice,
    "print": _text,
    "println": lambda *values: " ".join(map(spelled, values)) + "\n",
    "printf": lambda form, *values: printf(form, values),
    "html": lambda *values: html.escape(_text(*values)),
    "js": lambda *values: _text(*values).replace("\\", "\\\\").replace("'", "\\'").replace('"', '\\"'),
    "urlquery": lambda *values: quote(_text(*values), safe=""),
}

NAMES = frozenset(_PLAIN) | {"query", "externalURL", "pathPrefix", "now"}
