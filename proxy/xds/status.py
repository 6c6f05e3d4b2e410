"""How far each proxy is: what ``proxy-status`` shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from proxy.xds.node import Node
from proxy.xds.resources import SHORT
from proxy.xds.stream import Stream
from proxy.xds.watch import Watch


class State(StrEnum):
    """Of one type at one proxy."""

    SYNCED = "SYNCED"
    STALE = "STALE"
    NACK = "NACK"
    NOT_SENT = "NOT SENT"


@dataclass(frozen=True, slots=True)
class TypeStatus:
    """One type at one proxy.

    Attributes:
        version: last sent.
        acked: last accepted.
        error: why the proxy refused ``rejected``; empty: it did not.
        resources: how many it has.
    """

    state: State
    version: str = ""
    acked: str = ""
    error: str = ""
    rejected: str = ""
    resources: int = 0


@dataclass(frozen=True, slots=True)
class ProxyStatus:
    """One connected proxy; ``types`` by short name: ``cds``, ``eds``, ``lds``, ``rds``, ``sds``."""

    node: Node
    connected: datetime
    peer: str
    protocol: str
    types: Mapping[str, TypeStatus]


def type_states(stream: Stream) -> dict[str, TypeStatus]:
    """State of every type on a stream."""
    return {short: _state(stream.watches.get(type_url), stream) for type_url, short in SHORT.items()}


def _state(watch: Watch | None, stream: Stream) -> TypeStatus:
    if watch is None or not watch.answered:
        return TypeStatus(State.NOT_SENT)
    count = len(watch.sent)
    if watch.nack:
        error, rejected = watch.nack.message, watch.nack.version
        return TypeStatus(State.NACK, watch.version, watch.acked, error, rejected, count)
    state = State.STALE if watch.waiting or stream.pending else State.SYNCED
    return TypeStatus(state, watch.version, watch.acked, resources=count)
