"""Clocks of different hosts differ; a child that starts before its parent shows it."""

from dataclasses import replace

from query.traces.model import Span, Trace, children

HOST_KEYS = ("host.id", "host.ip", "host.name")


def correct_clock_skew(trace: Trace, max_delta_ns: int) -> Trace:
    """Move spans of other hosts into their parents, with what is below them.

    Args:
        trace: spans by start.
        max_delta_ns: larger corrections are not made; 0 turns correction off. Both leave a warning.
    """
    spans = list(trace.spans)
    below = children(spans)
    ids = {span.span_id for span in spans}
    roots = [i for i, span in enumerate(spans) if span.parent_id not in ids]
    waiting = [(child, root, 0) for root in roots for child in below.get(spans[root].span_id, [])]
    visited = set(roots)
    while waiting:  # a stack and a visited set: traces are deep, and some have cycles
        index, parent, shift = waiting.pop()
        if index in visited:
            continue
        visited.add(index)
        original = trace.spans[index]
        delta = _delta(spans[parent], replace(original, ts=original.ts + shift), shift)
        spans[index], shift = _moved(original, delta, shift, max_delta_ns)
        waiting += [(child, index, shift) for child in below.get(original.span_id, [])]
    return replace(trace, spans=tuple(spans))


def _delta(parent: Span, child: Span, shift: int) -> int:
    """How far a child must move from its own clock's time to lie in its parent."""
    host, parent_host = _host(child), _host(parent)
    if host and host == parent_host:
        return shift
    start, parent_end = child.ts - shift, parent.ts + parent.dur
    if child.dur > parent.dur:
        return parent.ts - start if start < parent.ts else 0
    if start >= parent.ts and start + child.dur <= parent_end:
        return 0
    return parent.ts + (parent.dur - child.dur) // 2 - start


def _moved(span: Span, delta: int, shift: int, max_delta_ns: int) -> tuple[Span, int]:
    if delta == 0:
        return span, 0
    if max_delta_ns == 0:
        return _warned(span, f"clock skew correction is off; not applied delta {delta} ns"), 0
    if abs(delta) > max_delta_ns:
        return _warned(span, f"max clock skew exceeded; not applied delta {delta} ns"), 0
    moved = replace(
        span, ts=span.ts + delta, events=tuple(replace(event, ts=event.ts + delta) for event in span.events)
    )
    if delta == shift:
        return moved, delta
    return _warned(moved, f"this span's timestamps were adjusted by {delta} ns"), delta


def _host(span: Span) -> str:
    return next((str(span.resource[key]) for key in HOST_KEYS if span.resource.get(key)), "")


def _warned(span: Span, warning: str) -> Span:
    return replace(span, warnings=(*span.warnings, warning))
