"""Rules of a VirtualService that no request can reach."""

from collections.abc import Sequence

from proxy.api.base import StringMatch
from proxy.api.virtual_service import HTTPMatchRequest, HTTPRoute, TCPRoute, TLSRoute, VirtualService
from proxy.validate.spot import Spot

Route = HTTPRoute | TLSRoute | TCPRoute


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
        if catch_all is not None:
            (at / index).warn(
                f"is never reached: rule {catch_all} before it has no match and takes everything"
            )
            continue
        if not route.match:
            catch_all = index
            continue
        repeated = 0
        for number, match in enumerate(route.match):
            text = match.model_dump_json(exclude={"name"}, exclude_defaults=True)
            if text in seen:
                (at / index / "match" / number).warn(f"has no effect: the same match is in rule {seen[text]}")
                repeated += 1
            seen.setdefault(text, index)
        if repeated == len(route.match):
            (at / index).warn("is never reached: rules before it have all its matches")


def _covered(at: Spot, routes: Sequence[HTTPRoute]) -> None:
    """Prefixes behind a shorter one whose other conditions are the same."""
    seen: list[tuple[int, str, str]] = []
    for index, route in enumerate(routes):
        for number, match in enumerate(route.match):
            if match.uri is None or not match.uri.prefix:
                continue
            rest = _without_uri(match)
            for earlier, prefix, other in seen:
                if other == rest and match.uri.prefix != prefix and match.uri.prefix.startswith(prefix):
                    (at / index / "match" / number).warn(
                        f"has no effect: prefix {prefix} of rule {earlier} covers {match.uri.prefix}"
                    )
                    break
            seen.append((index, match.uri.prefix, rest))


def _without_uri(match: HTTPMatchRequest) -> str:
    return match.model_copy(update={"uri": StringMatch()}).model_dump_json(
        exclude={"name", "stat_prefix"}, exclude_defaults=True
    )
