"""All adjusters, in Jaeger's order (``jaegerquery/internal/adjuster``)."""

from query.traces.adjusters.clock_skew import correct_clock_skew
from query.traces.adjusters.shared_ids import separate_shared_ids
from query.traces.adjusters.tidy import (
    deduplicate,
    dot_ip_addresses,
    drop_empty_links,
    move_library_attributes,
    sort_collections,
)
from query.traces.model import Trace


def adjusted(trace: Trace, max_clock_skew_ns: int) -> Trace:
    """A trace as people expect to see it; a raw trace skips this."""
    trace = separate_shared_ids(trace)
    trace = sort_collections(trace)
    trace = deduplicate(trace)
    trace = correct_clock_skew(trace, max_clock_skew_ns)
    trace = dot_ip_addresses(trace)
    trace = move_library_attributes(trace)
    return drop_empty_links(trace)
