"""Client and server spans of Zipkin share one id; the server span gets its own."""

from dataclasses import replace
from itertools import count

from query.traces.model import CLIENT, SERVER, Span, Trace


def separate_shared_ids(trace: Trace) -> Trace:
    """Give each server span that shares its id with a client span a new id, below the client span.

    Children of the shared id are children of the server span: it is the later of the two in the call.
    """
    clients = {span.span_id for span in trace.spans if span.kind == CLIENT}
    shared = {span.span_id for span in trace.spans if span.kind == SERVER and span.span_id in clients}
    if not shared:
        return trace
    taken = {span.span_id for span in trace.spans}
    fresh = (text for n in count(1) if (text := f"{n:016x}") not in taken)
    renamed = {old: next(fresh) for old in sorted(shared)}
    return replace(trace, spans=tuple(_renamed(span, renamed) for span in trace.spans))


def _renamed(span: Span, renamed: dict[str, str]) -> Span:
    if span.kind == SERVER and span.span_id in renamed:
        return replace(span, span_id=renamed[span.span_id], parent_id=span.span_id)
    if span.parent_id in renamed:
        return replace(span, parent_id=renamed[span.parent_id])
    return span
