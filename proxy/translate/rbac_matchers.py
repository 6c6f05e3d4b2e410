"""Values of AuthorizationPolicy as matchers of Envoy's RBAC.

Each function returns the JSON form of one ``Permission`` or ``Principal`` without its ``or``/``not`` around.
"""

import ipaddress
import re
from typing import Any

Json = dict[str, Any]

JWT_FILTER = "envoy.filters.http.jwt_authn"
ANY = ".+"
_MAX_PORT = 65535
_SPECIAL = re.compile(r"[\\.+*?()|\[\]{}^$]")
_KEYS = re.compile(r"\[([^\[\]]+)\]")
_URI_TEMPLATE = "type.googleapis.com/envoy.extensions.path.match.uri_template.v3.UriTemplateMatchConfig"


class UnusableRule(ValueError):
    """A value cannot be matched here."""


def quote(text: str) -> str:
    """Text as an RE2 regex that matches only it."""
    return _SPECIAL.sub(lambda m: "\\" + m.group(), text)


def wildcards(value: str, star: str) -> str:
    """The regex of text in which each ``*`` stands for the regex ``star``."""
    return star.join(quote(part) for part in value.split("*"))


def regex(pattern: str) -> Json:
    """A StringMatcher of a regex that has to match all of the text."""
    return {"safe_regex": {"regex": pattern}}


def text(value: str, prefix: str = "", *, ignore_case: bool = False) -> Json:
    """The StringMatcher of ``exact``, ``prefix*``, ``*suffix`` or ``*`` (anything but nothing).

    Args:
        value: as in the policy.
        prefix: stands before the value in what is matched.
        ignore_case: ASCII case does not count.
    """
    case: Json = {"ignore_case": True} if ignore_case else {}
    if value == "*":
        return regex(ANY)
    if value.startswith("*"):
        if prefix:
            return regex(f"{prefix}.*{quote(value[1:])}")
        return {"suffix": value[1:], **case}
    if value.endswith("*"):
        return {"prefix": prefix + value[:-1], **case}
    return {"exact": prefix + value, **case}


def header(name: str, value: str, *, ignore_case: bool = False) -> Json:
    """A header of the request; ``*`` asks only that it is there."""
    if value == "*":
        return {"header": {"name": name, "present_match": True}}
    return {"header": {"name": name, "string_match": text(value, ignore_case=ignore_case)}}


def path(value: str) -> Json:
    """The path without its query; ``{*}`` is one segment and ``{**}`` any number of them."""
    if "{*}" not in value and "{**}" not in value:
        return {"url_path": {"path": text(value)}}
    template = value.replace("{*}", "*").replace("{**}", "**")
    config = {"@type": _URI_TEMPLATE, "path_template": template}
    return {"uri_template": {"name": "uri-template", "typed_config": config}}


def port(value: str) -> Json:
    """The port that the caller meant.

    Raises:
        UnusableRule: it is no port.
    """
    if not value.isascii() or not value.isdigit() or int(value) > _MAX_PORT:
        raise UnusableRule(f"{value!r} is no port; write a number from 0 to {_MAX_PORT}")
    return {"destination_port": int(value)}


def cidr(value: str) -> Json:
    """The CidrRange of an address or a block.

    Raises:
        UnusableRule: it is neither.
    """
    try:
        found = ipaddress.ip_interface(value)
    except ValueError as error:
        raise UnusableRule(f"{value!r} is no IP address or block like 10.0.0.0/8") from error
    return {"address_prefix": str(found.ip), "prefix_len": found.network.prefixlen}


def spiffe(matcher: Json) -> Json:
    """A principal by the URI in its certificate."""
    return {"authenticated": {"principal_name": matcher}}


def principal(value: str) -> Json:
    """An identity without its ``spiffe://``."""
    return spiffe(text(value, "spiffe://"))


def namespace(value: str) -> Json:
    """The namespace in an identity; ``*`` anywhere."""
    return spiffe(regex(f".*/ns/{wildcards(value, '.*')}/.*"))


def service_account(value: str, own_namespace: str) -> Json:
    """``namespace/name``, or a name in the policy's namespace."""
    ns, slash, name = value.rpartition("/")
    if not slash:
        ns = own_namespace
    return spiffe(regex(f"spiffe://.+/ns/{quote(ns)}/(.+/|)sa/{quote(name)}(/.+)?"))


def trust_domain(value: str) -> Json:
    """The trust domain of an identity; ``*`` anywhere."""
    if "*" not in value:
        return spiffe({"prefix": f"spiffe://{value}/"})
    return spiffe(regex(f"spiffe://{wildcards(value, '[^/]*')}/.*"))


def metadata(filter_name: str, keys: tuple[str, ...], value: Json) -> Json:
    """Dynamic metadata that a filter before wrote."""
    return {"metadata": {"filter": filter_name, "path": [{"key": key} for key in keys], "value": value}}


def request_principal(value: str) -> Json:
    """``issuer/subject`` of the token; the subject follows the last slash."""
    issuer, slash, subject = value.rpartition("/")
    if slash:
        parts = text(issuer) if issuer.startswith("*") else {"exact": issuer}, text(subject)
    elif value == "*":
        parts = regex(ANY), regex(ANY)
    elif value.startswith("*"):
        parts = regex(ANY), text(value)
    elif value.endswith("*"):
        parts = text(value), regex(ANY)
    else:
        parts = {"exact": value}, {"exact": ""}
    claims = zip(("iss", "sub"), parts, strict=True)
    ids = [metadata(JWT_FILTER, ("payload", key), {"string_match": match}) for key, match in claims]
    return {"and_ids": {"ids": ids}}


def _any_of(matchers: list[Json]) -> Json:
    return matchers[0] if len(matchers) == 1 else {"or_match": {"value_matchers": matchers}}


def claim(keys: tuple[str, ...], values: tuple[str, ...]) -> Json:
    """A claim of the token: a text, or a list that holds one of the values."""
    wanted = _any_of([{"string_match": text(value)} for value in values])
    either = [{"list_match": {"one_of": wanted}}, wanted]
    return metadata(JWT_FILTER, ("payload", *keys), {"or_match": {"value_matchers": either}})


def filter_metadata(key: str, values: tuple[str, ...]) -> Json:
    """``filter.name[key]``: metadata of any filter; a value in brackets is looked for in a list.

    Raises:
        UnusableRule: there is no key in brackets.
    """
    name, bracket, _ = key.partition("[")
    keys = brackets(key)
    if not bracket or not keys:
        raise UnusableRule(f"{key!r} names no key; write it as filter.name[key]")
    return metadata(name, keys, _any_of([_listed(value) for value in values]))


def _listed(value: str) -> Json:
    if value.startswith("[") and value.endswith("]"):
        return {"list_match": {"one_of": {"string_match": text(value[1:-1])}}}
    return {"string_match": text(value)}


def brackets(key: str) -> tuple[str, ...]:
    """``a[b][c]`` gives b and c."""
    return tuple(_KEYS.findall(key))
