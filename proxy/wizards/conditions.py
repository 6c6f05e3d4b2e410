"""Conditions of forms as matches of a VirtualService, and back."""

from collections.abc import Mapping, Sequence
from typing import Any

from proxy.wizards.forms import Condition
from proxy.wizards.subject import Document

_MAPS = {"header": "headers", "query": "queryParams"}
_FIELDS = ("uri", "method", "authority", "scheme")
_HOWS = ("exact", "prefix", "regex")


def match(conditions: Sequence[Condition]) -> Document:
    """An ``HTTPMatchRequest``: all have to hold."""
    made: Document = {}
    for each in conditions:
        wanted = {each.how: each.value}
        if each.part in _MAPS:
            made.setdefault(_MAPS[each.part], {})[each.name] = wanted
        else:
            made[each.part] = wanted
    return made


def conditions(route: Mapping[str, Any]) -> tuple[Condition, ...] | None:
    """What a route asks of requests; None: more than a form can show."""
    found: list[Condition] = []
    matches = route.get("match") or [{}]
    if len(matches) > 1:
        return None
    for part, wanted in matches[0].items():
        if part in _FIELDS:
            texts = [(part, "", wanted)]
        elif part in _MAPS.values():
            own = next(name for name, field in _MAPS.items() if field == part)
            texts = [(own, name, text) for name, text in wanted.items()]
        elif part == "name":
            continue
        else:
            return None
        for kind, name, text in texts:
            condition = _condition(kind, name, text)
            if condition is None:
                return None
            found.append(condition)
    return tuple(found)


def _condition(part: Any, name: str, wanted: Any) -> Condition | None:
    if not isinstance(wanted, dict) or len(wanted) != 1:
        return None
    ((how, value),) = wanted.items()
    return Condition(part=part, name=name, how=how, value=value) if how in _HOWS and value else None
