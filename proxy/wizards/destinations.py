"""Weighted destinations of a route, from shares of versions and back."""

from collections.abc import Mapping
from typing import Any

from proxy.wizards.forms import WHOLE
from proxy.wizards.subject import Document

Targets = list[Document]


def targets(weights: Mapping[str, int], subsets: Mapping[str, str], like: Document) -> Targets:
    """Destinations with these shares; who has none is left out.

    Args:
        weights: percent by version.
        subsets: name by version.
        like: a route, whose destinations are taken over with what else they say.
    """
    before = {_subset(each): each for each in like["route"]}
    plain = {"destination": {**like["route"][0]["destination"]}}
    plain["destination"].pop("subset", None)
    made = []
    for version, weight in weights.items():
        if weight:
            name = subsets[version]
            given = before.get(name, plain)
            made.append({**given, "destination": {**given["destination"], "subset": name}, "weight": weight})
    return made


def weights(route: Document, versions: Mapping[str, str], known: tuple[str, ...]) -> dict[str, int]:
    """Percent by version of a route; a destination without a subset goes to all versions alike.

    Args:
        route: of a VirtualService.
        versions: by subset.
        known: versions of the workloads.
    """
    found = dict.fromkeys(known, 0)
    shares = [_share(each, route) for each in route["route"]]
    whole = sum(shares) or 1
    for target, share in zip(route["route"], shares, strict=True):
        version = versions.get(_subset(target))
        if version is not None:
            found[version] = found.get(version, 0) + round(share * WHOLE / whole)
        elif known:
            _spread(found, known, round(share * WHOLE / whole))
    return _whole(found)


def _subset(target: Mapping[str, Any]) -> str:
    return str(target["destination"].get("subset", ""))


def _share(target: Mapping[str, Any], route: Document) -> int:
    """Without any weight a single destination gets everything."""
    return int(target.get("weight", 1 if len(route["route"]) == 1 else 0))


def _spread(found: dict[str, int], known: tuple[str, ...], share: int) -> None:
    each, rest = divmod(share, len(known))
    for place, version in enumerate(known):
        found[version] += each + (place < rest)


def _whole(found: dict[str, int]) -> dict[str, int]:
    """Rounding is made good at the largest."""
    missing = WHOLE - sum(found.values())
    if found and missing:
        found[max(found, key=lambda version: found[version])] += missing
    return found
