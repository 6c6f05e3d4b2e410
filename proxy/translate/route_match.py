"""Which requests: the conditions of a virtual service's rule."""

import re
from collections.abc import Iterator
from typing import Any

from proxy.api.base import StringMatch
from proxy.api.virtual_service import HTTPMatchRequest, L4MatchAttributes, TLSMatchAttributes
from proxy.translate.destinations import RouteScope

Json = dict[str, Any]
_CLAIMS = "@request.auth.claims"
_JWT_FILTER = "envoy.filters.http.jwt_authn"


def applies(
    match: HTTPMatchRequest | TLSMatchAttributes | L4MatchAttributes, scope: RouteScope, namespace: str
) -> bool:
    """Whether traffic of this listener and proxy can meet the conditions on port and source.

    Named gateways make the labels of the source meaningless.

    Args:
        match: the conditions.
        scope: the listener.
        namespace: of the virtual service; completes names of gateways.
    """
    if match.port and match.port != scope.port:
        return False
    if match.gateways:
        return any(gateway_name(name, namespace) in scope.gateways for name in match.gateways)
    if any(scope.proxy.labels.get(key) != value for key, value in match.source_labels.items()):
        return False
    return match.source_namespace in ("", scope.proxy.namespace)


def gateway_name(name: str, namespace: str) -> str:
    """``[namespace/]name`` completed; ``mesh`` stays."""
    return name if name == "mesh" or "/" in name else f"{namespace}/{name}"


def route_match(match: HTTPMatchRequest | None) -> Json:
    """``RouteMatch`` of the conditions; None: every request."""
    if match is None:
        return {"prefix": "/"}
    made = _path(match)
    headers, metadata = [], []
    for inverted, name, value in _headers(match):
        claim = _claim_path(name)
        if claim:
            metadata.append(_claim(claim, value, inverted=inverted))
        else:
            headers.append(_header(name, value, inverted=inverted))
    queries = [_query(name, value) for name, value in sorted(match.query_params.items())]
    for key, values in (("headers", headers), ("query_parameters", queries), ("dynamic_metadata", metadata)):
        if values:
            made[key] = values
    return made


def catches_all(match: Json) -> bool:
    """Whether every request meets this ``RouteMatch``, so that later routes are never reached."""
    path = match.get("prefix") == "/" or match.get("safe_regex", {}).get("regex") in (".*", "*")
    return path and not any(match.get(key) for key in ("headers", "query_parameters", "dynamic_metadata"))


def string_match(value: StringMatch) -> Json:
    """``StringMatcher`` of a value that has one of the three."""
    if value.exact is not None:
        return {"exact": value.exact}
    if value.prefix is not None:
        return {"prefix": value.prefix}
    return {"safe_regex": {"regex": value.regex or ".*"}}


def _path(match: HTTPMatchRequest) -> Json:
    uri = match.uri
    if uri is None or _any_value(uri):
        return {"prefix": "/"}
    if uri.regex is not None:
        return {"safe_regex": {"regex": uri.regex}}
    made: Json = {"path": uri.exact} if uri.exact is not None else {"prefix": uri.prefix}
    if match.ignore_uri_case:
        made["case_sensitive"] = False
    return made


def _any_value(value: StringMatch) -> bool:
    # "*" is no regular expression; users write it for "any value".
    return (value.exact, value.prefix) == (None, None) and value.regex in (None, "*")


def _headers(match: HTTPMatchRequest) -> Iterator[tuple[bool, str, StringMatch]]:
    for name, value in sorted(match.headers.items()):
        yield False, name, value
    for name, value in sorted(match.without_headers.items()):
        yield True, name, value
    pseudo = ((":method", match.method), (":authority", match.authority), (":scheme", match.scheme))
    for name, field in pseudo:
        if field is not None:
            yield False, name, field


def _header(name: str, value: StringMatch, *, inverted: bool) -> Json:
    if _any_value(value):
        return {"name": name, "present_match": True, **({"invert_match": True} if inverted else {})}
    made: Json = {"name": name, "string_match": string_match(value)}
    if inverted:
        made |= {"invert_match": True, "treat_missing_header_as_empty": True}
    return made


def _query(name: str, value: StringMatch) -> Json:
    if _any_value(value) or value.exact == "":
        return {"name": name, "present_match": True}
    return {"name": name, "string_match": string_match(value)}


def _claim_path(name: str) -> list[str]:
    """``@request.auth.claims[a][b]`` and ``@request.auth.claims.a.b`` as keys; empty: an ordinary header."""
    if not name.lower().startswith(_CLAIMS):
        return []
    rest = name[len(_CLAIMS) :]
    if rest.startswith("["):
        return re.findall(r"\[([^\[\]]+)\]", rest)
    return [part for part in rest.split(".") if part]


def _claim(path: list[str], value: StringMatch, *, inverted: bool) -> Json:
    wanted: Json = {"present_match": True}
    if not _any_value(value):
        text = {"string_match": string_match(value)}
        wanted = {"or_match": {"value_matchers": [text, {"list_match": {"one_of": text}}]}}
    made: Json = {"filter": _JWT_FILTER, "path": [{"key": k} for k in ("payload", *path)], "value": wanted}
    return made | ({"invert": True} if inverted else {})
