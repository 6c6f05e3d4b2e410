"""Small corrections of one span at a time, and of repeated spans."""

import ipaddress
from dataclasses import replace
from typing import Any

from query.traces.model import Attributes, Span, Trace

IP_KEYS = ("ip", "peer.ipv4")
LIBRARY_PREFIXES = ("telemetry.sdk.", "telemetry.distro.")
NO_TRACE, NO_SPAN = "0" * 32, "0" * 16


def sort_collections(trace: Trace) -> Trace:
    """Attributes by key, so that equal spans look equal; spans by start, so that the order is stable."""
    spans = sorted(map(_sorted, trace.spans), key=lambda span: (span.ts, span.span_id))
    return replace(trace, spans=tuple(spans))


def deduplicate(trace: Trace) -> Trace:
    """Leave out spans that are the same in every field, as a sender's retry makes them."""
    seen: dict[Any, Span] = {}
    for span in trace.spans:
        seen.setdefault(repr(span), span)
    return trace if len(seen) == len(trace.spans) else replace(trace, spans=tuple(seen.values()))


def dot_ip_addresses(trace: Trace) -> Trace:
    """``ip`` and ``peer.ipv4`` as numbers become dotted text."""
    return replace(trace, spans=tuple(map(_dotted, trace.spans)))


def move_library_attributes(trace: Trace) -> Trace:
    """``telemetry.sdk.*`` and ``telemetry.distro.*`` belong to the resource, not to the span."""
    return replace(trace, spans=tuple(map(_library_moved, trace.spans)))


def drop_empty_links(trace: Trace) -> Trace:
    """Leave out links that name no span."""
    return replace(trace, spans=tuple(map(_linked, trace.spans)))


def _by_key(attributes: Attributes) -> Attributes:
    return dict(sorted(attributes.items()))


def _sorted(span: Span) -> Span:
    return replace(
        span,
        resource=_by_key(span.resource),
        attributes=_by_key(span.attributes),
        events=tuple(replace(event, attributes=_by_key(event.attributes)) for event in span.events),
        links=tuple(replace(link, attributes=_by_key(link.attributes)) for link in span.links),
    )


def _dotted(span: Span) -> Span:
    numbers = {k: v for k in IP_KEYS if type(v := span.attributes.get(k)) in (int, float)}
    if not numbers:
        return span
    dotted = {key: str(ipaddress.IPv4Address(int(number) & 0xFFFF_FFFF)) for key, number in numbers.items()}  # type: ignore[arg-type]
    return replace(span, attributes={**span.attributes, **dotted})


def _library_moved(span: Span) -> Span:
    moved = {k: v for k, v in span.attributes.items() if k.startswith(LIBRARY_PREFIXES)}
    if not moved:
        return span
    kept = {k: v for k, v in span.attributes.items() if k not in moved}
    conflicts = [k for k, v in moved.items() if k in span.resource and span.resource[k] != v]
    warnings = tuple(f"conflicting attribute values for {key}: span and resource differ" for key in conflicts)
    stays = {k: moved.pop(k) for k in conflicts}
    return replace(
        span,
        attributes={**kept, **stays},
        resource=_by_key({**span.resource, **moved}),
        warnings=span.warnings + warnings,
    )


def _linked(span: Span) -> Span:
    links = tuple(
        link for link in span.links if link.trace_id != NO_TRACE and link.span_id not in ("", NO_SPAN)
    )
    return span if len(links) == len(span.links) else replace(span, links=links)
