"""Who took part in a request, where tags do not say it: from the cluster's name, headers and ids."""

import pyarrow as pa
import pyarrow.compute as pc

from vigla.wire.access_logs.columns import distinct_texts
from vigla.wire.access_logs.maps import StringMaps

UNKNOWN = "unknown"

_CLUSTER_PARTS = 4  # direction|port|subset|host, Istio's form
_TRACE_ID = "^[0-9a-f]{32}$"
_ZERO = "0" * 32


def services(tag: pa.StringArray, cluster: pa.StringArray) -> pa.StringArray:
    """The destination's host: its tag, else what the cluster is named for, else ``unknown``."""
    return pc.coalesce(tag, distinct_texts(_host, cluster), UNKNOWN)


def reporters(tag: pa.StringArray, cluster: pa.StringArray) -> pa.StringArray:
    """Which side logged: its tag, else by the cluster's direction; null when that has none."""
    return pc.coalesce(tag, distinct_texts(_side, cluster))


def trace_ids(tag: pa.StringArray, headers: StringMaps | None, stream_id: pa.StringArray) -> pa.StringArray:
    """The trace: by its tag, else a logged header ``traceparent`` or ``x-b3-traceid``, else the stream's id.

    What does not look like a trace id is passed over; a short one is filled with zeros.
    """
    candidates = [tag]
    if headers is not None:
        candidates.append(pc.utf8_slice_codeunits(headers.column("traceparent"), 3, 35))
        candidates.append(headers.column("x-b3-traceid"))
    found = [pc.utf8_lpad(pc.utf8_lower(ids), 32, "0") for ids in candidates]
    return pc.coalesce(*map(valid_trace_ids, [*found, pc.utf8_lower(stream_id)]))


def valid_trace_ids(ids: pa.StringArray) -> pa.StringArray:
    """Null where a text is no trace id."""
    valid = pc.and_(pc.match_substring_regex(ids, _TRACE_ID), pc.not_equal(ids, _ZERO))
    return pc.if_else(valid, ids, pa.scalar(None, pa.string()))


def _host(cluster: str) -> str | None:
    parts = cluster.split("|")
    return parts[-1] or None if len(parts) == _CLUSTER_PARTS else None


def _side(cluster: str) -> str | None:
    if cluster.startswith(("outbound|", "outbound_", "BlackHoleCluster", "PassthroughCluster")):
        return "source"
    if cluster.startswith(("inbound|", "inbound_", "InboundPassthrough")):
        return "destination"
    return None
