"""Checks of single values that many kinds share."""

import re
from collections.abc import Sequence
from datetime import timedelta

import re2  # type: ignore[import-untyped]

from proxy.api.base import Labels, PortSelector, StringMatch
from proxy.validate.spot import Spot

_LABEL = re.compile(r"[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?")
_FIRST_LABEL = re.compile(r"\*|(?:\*-?)?[a-zA-Z0-9](?:[-a-zA-Z0-9]*[a-zA-Z0-9])?")
_SNI_LABEL = re.compile(r"(?:\*|(?:\*-?)?[a-zA-Z0-9_](?:[-a-zA-Z0-9_]*[a-zA-Z0-9_])?)")
_TAG_NAME = re.compile(r"[a-zA-Z0-9](?:[-a-zA-Z0-9_.]*[a-zA-Z0-9])?")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+")
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_OPERATOR = re.compile(r"%%|%[A-Za-z0-9_]+(?:\([^%]*\))?(?::\d+)?%")
_PROTOCOLS = frozenset(
    "http https http2 grpc grpc-web grpc-web-tls tls tcp udp mongo redis mysql hbone double-hbone".split()  # noqa: SIM905
)
_HTTP = frozenset({"http", "http2", "grpc", "grpc-web", "grpc-web-tls"})
_TLS = frozenset({"https", "tls", "grpc-web-tls"})
_LONGEST_NAME = 255
_LONGEST_LABEL = 63
_LONGEST_REGEX = 1024
_HIGHEST_PORT = 65535


def is_label(text: str) -> bool:
    """It can be a part of a DNS name."""
    return len(text) <= _LONGEST_LABEL and _LABEL.fullmatch(text) is not None


def is_http(protocol: str) -> bool:
    """Ports of this protocol carry HTTP in the clear."""
    return protocol.lower() in _HTTP


def is_tls(protocol: str) -> bool:
    """Ports of this protocol carry TLS."""
    return protocol.lower() in _TLS


def label(at: Spot, text: str, what: str) -> None:
    """A DNS label: letters, digits and inner dashes."""
    if not is_label(text):
        at.error(f"{text!r} is no {what}: use letters, digits and inner dashes, at most {_LONGEST_LABEL}")


def host_fault(host: str, *, wildcard: bool = False, sni: bool = False) -> str:
    """What is wrong with a DNS name; empty: nothing.

    Args:
        host: the name.
        wildcard: its first label may be or start with ``*``.
        sni: its labels may have underscores.
    """
    if not host:
        return "a host must not be empty"
    if len(host) > _LONGEST_NAME:
        return f"host {host!r} has more than {_LONGEST_NAME} characters"
    labels = host.removesuffix(".").split(".")
    if labels[-1].isdecimal():
        return f"host {host!r} ends in a number: write a DNS name"
    for index, part in enumerate(labels):
        allowed = _SNI_LABEL if sni else _FIRST_LABEL if wildcard and index == 0 else _LABEL
        if len(part) > _LONGEST_LABEL or not allowed.fullmatch(part) or ("*" in part and index > 0):
            return f"host {host!r} is no DNS name: mend {part!r}" + _asterisk(host, wildcard=wildcard)
    return ""


def _asterisk(host: str, *, wildcard: bool) -> str:
    if "*" not in host:
        return ""
    return " (* may only start it, as in *.example.com)" if wildcard else " (no * is allowed here)"


def hostname(at: Spot, host: str, *, wildcard: bool = False, sni: bool = False) -> bool:
    """A DNS name; tells whether it is one."""
    fault = host_fault(host, wildcard=wildcard, sni=sni)
    if fault:
        at.error(fault)
    return not fault


def port(at: Spot, number: int) -> None:
    """A port number."""
    if not 1 <= number <= _HIGHEST_PORT:
        at.error(f"port {number} is not between 1 and {_HIGHEST_PORT}")


def port_selector(at: Spot, selector: PortSelector | None) -> None:
    """A port chosen by its number."""
    if selector is not None:
        port(at / "number", selector.number)


def protocol(at: Spot, name: str) -> None:
    """A known protocol; empty: found out by looking."""
    if name and name.lower() not in _PROTOCOLS:
        at.error(f"unknown protocol {name!r}; known: {', '.join(sorted(p.upper() for p in _PROTOCOLS))}")


def duration(at: Spot, value: timedelta | None, *, zero: bool = False) -> None:
    """At least a millisecond, in whole milliseconds; ``zero``: or 0."""
    if value is None or (zero and not value):
        return
    if value < timedelta(milliseconds=1):
        at.error("a duration must be at least 1ms")
    elif value.microseconds % 1000:
        at.error("a duration must be in whole milliseconds")


def percent(at: Spot, value: float) -> None:
    """0 to 100."""
    if not 0 <= value <= 100:  # noqa: PLR2004
        at.error(f"{value:g} is not between 0 and 100")


def not_negative(at: Spot, value: int | None) -> None:
    """0 or more."""
    if value is not None and value < 0:
        at.error(f"{value} is negative: write 0 or more")


def regex(at: Spot, text: str) -> None:
    """An RE2 expression."""
    if not text:
        at.error("a regular expression must not be empty")
    elif len(text) > _LONGEST_REGEX:
        at.error(f"a regular expression must not have more than {_LONGEST_REGEX} characters")
    else:
        try:
            re2.compile(text, _QUIET)
        except re2.error as error:
            at.error(f"{text!r} is no RE2 expression: {_said(error)}")


def _said(error: re2.error) -> str:
    reason = error.args[0] if error.args else ""
    return reason.decode(errors="replace") if isinstance(reason, bytes) else str(reason)


_QUIET = re2.Options()
_QUIET.log_errors = False


def string_match(at: Spot, match: StringMatch | None) -> None:
    """At most one way to match, and not an empty one."""
    if match is None:
        return
    given = match.model_fields_set
    if len(given) > 1:
        at.error(f"only one of {', '.join(sorted(given))} can be set")
    if match.prefix == "":
        (at / "prefix").error("an empty prefix matches everything: leave it out")
    if match.regex is not None:
        regex(at / "regex", match.regex)


def header_name(at: Spot, name: str) -> None:
    """Characters that HTTP allows."""
    if not _HEADER.fullmatch(name):
        at.error(f"{name!r} is no header name")


def header_value(at: Spot, value: str) -> None:
    """No control characters; ``%`` only as ``%%`` or in an operator like ``%HOSTNAME%``."""
    if _CONTROL.search(value):
        at.error("a header value must not have control characters")
    elif "%" in _OPERATOR.sub("", value):
        at.error(f"{value!r} has a single %: write %%, or an operator like %HOSTNAME%")


def labels(at: Spot, values: Labels) -> None:
    """Labels as Kubernetes takes them."""
    for key, value in values.items():
        prefix, slash, name = key.rpartition("/")
        bad_name = len(name) > _LONGEST_LABEL or not _TAG_NAME.fullmatch(name)
        if bad_name or (slash and host_fault(prefix)):
            (at / key).error(f"{key!r} is no label name")
        if value and (len(value) > _LONGEST_LABEL or not _TAG_NAME.fullmatch(value)):
            (at / key).error(f"{value!r} is no label value")


def unique(values: Sequence[tuple[Spot, object]], what: str) -> None:
    """No value twice."""
    seen: set[object] = set()
    for spot, value in values:
        if value in seen:
            spot.error(f"{what} {value!r} is already used above: each must be unique")
        seen.add(value)


def one_of(at: Spot, **given: bool) -> None:
    """At most one of these fields is set."""
    names = [name for name, is_set in given.items() if is_set]
    if len(names) > 1:
        at.error(f"only one of {', '.join(names)} can be set")
