"""Rules of a VirtualService that no request can reach."""

import json
from collections.abc import Sequence

from proxy.api.virtual_service import HTTPMatchRequest, HTTPRoute, TCPRoute, TLSRoute, VirtualService
from proxy.validate.spot import Spot

Route = HTTPRoute | TLSRoute | TCPRoute
_RULE, _MATCH = "VirtualServiceUnreachableRule", "VirtualServiceIneffectiveMatch"


def unreachable(at: Spot, spec: VirtualService) -> None:
    """Warn of routes behind a catch-all, and of matches that an earlier one repeats or covers."""
    lists: tuple[tuple[str, Sequence[Route]], ...] = (
        ("http", spec.http),
        ("tls", spec.tls),
        ("tcp", spec.tcp),
    )
    for name, routes in lists:
        _in_list(at / name, routes)
    _covered(at / "http", spec.http)


def _in_list(at: Spot, routes: Sequence[Route]) -> None:
    seen: dict[str, int] = {}
    catch_all: int | None = None
    for index, route in enumerate(routes):
        spot = at / index
        if catch_all is not None:
            spot.warn(
                f"is never reached: rule {catch_all} before it has no match and takes everything", _RULE
            )
            continue
        if not route.match:
            catch_all = index
            continue
        repeated = 0
        for number, match in enumerate(route.match):
            text = match.model_dump_json(exclude={"name"}, exclude_defaults=True)
            if text in seen:
                (spot / "match" / number).warn(
                    f"has no effect: the same match is in rule {seen[text]}", _MATCH
                )
                repeated += 1
            seen.setdefault(text, index)
        if repeated == len(route.match):
            spot.warn("is never reached: rules before it have all its matches", _RULE)


def _covered(at: Spot, routes: Sequence[HTTPRoute]) -> None:
    """Prefixes behind a shorter one that asks for nothing more."""
    seen: list[tuple[int, str, frozenset[str]]] = []
    for index, route in enumerate(routes):
        for number, match in enumerate(route.match):
            if match.uri is None or not match.uri.prefix:
                continue
            prefix, conditions = match.uri.prefix, _conditions(match)
            for earlier, shorter, fewer in seen:
                if prefix != shorter and prefix.startswith(shorter) and fewer <= conditions:
                    (at / index / "match" / number).warn(
                        f"has no effect: prefix {shorter} of rule {earlier} covers {prefix}", _MATCH
                    )
                    break
            seen.append((index, prefix, conditions))


def _conditions(match: HTTPMatchRequest) -> frozenset[str]:
    """What must hold beside the prefix, each as text; how its case is read belongs to the prefix."""
    given = match.model_dump(
        mode="json", exclude={"name", "stat_prefix", "uri", "ignore_uri_case"}, exclude_defaults=True
    )
    single = [
        (field, key, part) for field, v in given.items() if isinstance(v, dict) for key, part in v.items()
    ]
    whole = [(field, "", v) for field, v in given.items() if not isinstance(v, dict)]
    case = ("ignore_uri_case", "", match.ignore_uri_case)
    return frozenset(json.dumps(part, sort_keys=True) for part in (*single, *whole, case))
