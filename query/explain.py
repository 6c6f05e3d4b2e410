"""Why a request went the way it did: what each proxy on its way decided, and by which configuration."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from query.access_logs import AccessLogQuery, find
from query.response_flags import MEANINGS
from vigla.storage.api import QueryContext, Reader
from vigla.storage.tables import LakeTables

TRACE_ID_DIGITS = 32
MAX_HOPS = 1000
_FAULTS = {"DI": "delay", "FI": "abort"}

Json = dict[str, Any]


def explain(
    reader: Reader, tables: LakeTables, query: AccessLogQuery, given: str, context: QueryContext
) -> Json:
    """The hops of a request, in the order of their start.

    Args:
        reader: what is asked.
        tables: its tables.
        query: its time range counts.
        given: trace id (32 hex digits) or request id (``x-request-id``).
        context: bounds of the query.

    Returns:
        ``id`` and ``hops``; no hops when no proxy logged such a request in the time range.
    """
    plain = given.replace("-", "").lower()
    is_trace = len(given) == TRACE_ID_DIGITS and all(c in "0123456789abcdef" for c in plain)
    asked = replace(
        query, limit=MAX_HOPS, trace_id=plain if is_trace else "", request_id="" if is_trace else given
    )
    found = find(reader, tables, asked, context).entries
    return {"id": given, "hops": [_hop(entry) for entry in sorted(found, key=lambda e: str(e["ts"]))]}


def _hop(entry: Mapping[str, Any]) -> Json:
    tags = entry.get("tags") or {}
    flags = entry.get("flags") or []
    decided = {
        "virtual_service": _object(entry.get("virtual_service")),
        "route": tags.get("rule_name") or entry.get("route"),
        "rule": entry.get("rule"),
        "source": tags.get("rule_source"),
        "destination_rule": _object(tags.get("destination_rule")),
        "policy": entry.get("policy"),
        "fault": next((_FAULTS[flag] for flag in flags if flag in _FAULTS), None),
        "cluster": entry.get("upstream_cluster"),
        "upstream": entry.get("upstream_host"),
        "attempts": entry.get("attempts"),
    }
    hop = {
        "ts": entry["ts"],
        "dur": entry.get("dur"),
        "reporter": entry.get("reporter"),
        "source": entry.get("source_workload"),
        "destination": entry.get("destination_workload"),
        "service": entry.get("service"),
        "method": entry.get("method"),
        "path": entry.get("path"),
        "status": entry.get("status"),
        "details": entry.get("response_code_details"),
        "mutual_tls": bool(entry.get("peer_principal")) if entry.get("reporter") == "destination" else None,
        "flags": [{"flag": flag, "meaning": MEANINGS.get(flag, "")} for flag in flags],
        "decided_by": {name: value for name, value in decided.items() if value not in (None, "")},
    }
    return {name: value for name, value in hop.items() if value is not None}


def _object(path: object) -> str | None:
    """``/apis/<group>/<version>/namespaces/<namespace>/<kind>/<name>`` as ``kind namespace/name``."""
    parts = str(path or "").strip("/").split("/")
    if "namespaces" not in parts:
        return None
    at = parts.index("namespaces")
    return f"{parts[at + 2]} {parts[at + 1]}/{parts[at + 3]}" if len(parts) > at + 3 else None
