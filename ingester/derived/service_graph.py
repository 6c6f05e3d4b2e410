"""Which service calls which, counted from pairs of spans under the names that Tempo gives them.

Source: Tempo's metrics generator, processor ``service-graphs``. A client span and the server span below it
make a request. A call of a database needs no server span; a server span without parent is a call of ``user``;
a client span that finds no server in time is a call of its ``peer.service``, if it names one.
"""

import threading
from typing import TypeAlias

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

from ingester.derived.counters import Counters, Family, grouped, spread

TOTAL = "traces_service_graph_request_total"
FAILED = "traces_service_graph_request_failed_total"
SERVER = "traces_service_graph_request_server_seconds"
CLIENT = "traces_service_graph_request_client_seconds"
BOUNDS = tuple(0.002 * 2**n for n in range(14))  # Tempo begins at 0.1 s, which is slow for many services
"""Seconds."""

FAMILIES = (
    Family(TOTAL, "counter", "Requests between two services."),
    Family(FAILED, "counter", "Requests between two services that failed on either side."),
    Family(SERVER, "histogram", "Duration of requests as the server saw it.", "seconds", BOUNDS),
    Family(CLIENT, "histogram", "Duration of requests as the client saw it.", "seconds", BOUNDS),
)
WAIT_MS = 10_000
MAX_WAITING = 100_000
USER = "user"
DATABASE, MESSAGING, VIRTUAL = "database", "messaging_system", "virtual_node"

_SERVER, _CLIENT, _PRODUCER, _CONSUMER, _ERROR = 2, 3, 4, 5, 2
_NS_PER_S = 1e9
_OLD_DATABASE = r'"db\.(?:name|system)":"(?P<name>[^"\\]+)"'

Mask: TypeAlias = npt.NDArray[np.bool_]
Ints: TypeAlias = npt.NDArray[np.int64]

_HALVES = pa.schema(
    [
        ("trace", pa.string()),
        ("span", pa.int64()),  # the client's id on both sides
        ("is_server", pa.bool_()),
        ("service", pa.string()),
        ("peer", pa.string()),  # of clients: whom they name
        ("database", pa.bool_()),
        ("messaging", pa.bool_()),
        ("root", pa.bool_()),
        ("seconds", pa.float64()),
        ("failed", pa.bool_()),
        ("at", pa.int64()),  # when it came, milliseconds
    ]
)


class ServiceGraph:
    """Pairs the halves of requests over batches. Thread-safe.

    Args:
        counters: of ``FAMILIES`` among others.
    """

    def __init__(self, counters: Counters) -> None:
        self._counters = counters
        self._waiting = _HALVES.empty_table()
        self._lock = threading.Lock()

    def observe(self, spans: pa.Table, now_ms: int) -> None:
        """Count the requests that are whole with a batch; columns as in ``vigla.model.spans``."""
        halves = _halves(spans, now_ms)
        with self._lock:
            self._settle(halves, now_ms)

    def expire(self, now_ms: int) -> None:
        """Count what has waited long enough for its other half, also when no spans come."""
        with self._lock:
            self._settle(_HALVES.empty_table(), now_ms)

    def _settle(self, halves: pa.Table, now_ms: int) -> None:
        rows = pa.concat_tables([self._waiting, halves]).combine_chunks()
        clients, servers, taken = _paired(rows)
        self._count_pairs(rows.take(pa.array(clients)), rows.take(pa.array(servers)), now_ms)
        rest = rows.filter(pa.array(~taken))
        self._count_alone(rest, now_ms)
        young = pc.greater(rest.column("at"), now_ms - WAIT_MS)
        kept = rest.filter(pc.and_(young, pc.invert(rest.column("root"))))
        self._waiting = kept.slice(max(kept.num_rows - MAX_WAITING, 0))

    def _count_pairs(self, clients: pa.Table, servers: pa.Table, now_ms: int) -> None:
        messaging = pc.or_(clients.column("messaging"), servers.column("messaging"))
        kind = pc.if_else(messaging, MESSAGING, pc.if_else(clients.column("database"), DATABASE, ""))
        failed = pc.or_(clients.column("failed"), servers.column("failed"))
        ends = (clients.column("service"), servers.column("service"))
        times = (clients.column("seconds"), servers.column("seconds"))
        self._count(ends, kind, times, failed, now_ms)

    def _count_alone(self, rows: pa.Table, now_ms: int) -> None:
        """Users at once; databases and named peers when nobody answered for them."""
        old = pc.less_equal(rows.column("at"), now_ms - WAIT_MS)
        named = pc.and_(pc.not_equal(rows.column("peer"), ""), pc.invert(rows.column("is_server")))
        calls = rows.filter(pc.and_(old, named))
        kind = pc.if_else(calls.column("database"), DATABASE, VIRTUAL)
        seconds = calls.column("seconds")
        ends = (calls.column("service"), calls.column("peer"))
        self._count(ends, kind, (seconds, seconds), calls.column("failed"), now_ms)
        roots = rows.filter(rows.column("root"))
        user, virtual = (pa.array([text] * roots.num_rows, pa.string()) for text in (USER, VIRTUAL))
        seconds = roots.column("seconds")
        ends = (user, roots.column("service"))
        self._count(ends, virtual, (seconds, seconds), roots.column("failed"), now_ms)

    def _count(
        self,
        ends: tuple[pa.Array, pa.Array],
        kind: pa.Array,
        seconds: tuple[pa.Array, pa.Array],
        failed: pa.Array,
        now_ms: int,
    ) -> None:
        if not len(kind):
            return
        columns = {"client": ends[0], "server": ends[1], "connection_type": kind}
        labels, groups = grouped({name: _one(column) for name, column in columns.items()})
        count = len(labels)
        self._counters.add(TOTAL, labels, np.bincount(groups, minlength=count).astype(np.float64), now_ms)
        errors = np.bincount(groups, failed.to_numpy(), minlength=count).astype(np.float64)
        bad = np.flatnonzero(errors)
        self._counters.add(FAILED, [labels[place] for place in bad], errors[bad], now_ms)
        for name, values in zip((CLIENT, SERVER), seconds, strict=True):
            self._counters.add(name, labels, spread(values.to_numpy(), groups, count, BOUNDS), now_ms)


def _halves(spans: pa.Table, now_ms: int) -> pa.Table:
    """Spans that are one side of a request."""
    kinds = spans.column("kind").to_numpy()
    rows = spans.filter(pa.array(np.isin(kinds, (_SERVER, _CLIENT, _PRODUCER, _CONSUMER)))).combine_chunks()
    kinds = rows.column("kind").to_numpy()
    is_server = (kinds == _SERVER) | (kinds == _CONSUMER)
    parents = rows.column("parent_id").to_numpy()
    database = _database(rows)
    calls = pc.and_(pc.not_equal(database, ""), pa.array(kinds == _CLIENT))
    peer = pc.if_else(calls, database, _text(rows, "a.peer.service").fill_null(""))
    columns = [
        _one(rows.column("trace_id")).cast(pa.string()),
        pa.array(np.where(is_server, parents, rows.column("span_id").to_numpy())),
        pa.array(is_server),
        _text(rows, "service"),
        peer,
        calls,
        pa.array((kinds == _PRODUCER) | (kinds == _CONSUMER)),
        pa.array((kinds == _SERVER) & (parents == 0)),
        pa.array(rows.column("dur").to_numpy() / _NS_PER_S),
        pa.array(rows.column("status_code").to_numpy() == _ERROR),
        pa.array(np.full(rows.num_rows, now_ms)),
    ]
    return pa.Table.from_arrays(columns, schema=_HALVES)


def _database(rows: pa.Table) -> pa.StringArray:
    """The database that a span names, empty when none: its namespace, else its system, also by older keys."""
    attrs = _text(rows, "attrs")
    named = pc.coalesce(_text(rows, "a.db.namespace"), _text(rows, "a.db.system.name"))
    older = pc.and_(pc.is_null(named), pc.match_substring(attrs, '"db.'))  # a search spares the expression
    found = pc.struct_field(pc.extract_regex(attrs.filter(older), _OLD_DATABASE), "name")
    return pc.replace_with_mask(named, older, found).fill_null("")


def _paired(rows: pa.Table) -> tuple[Ints, Ints, Mask]:
    """Places of the clients and the servers of whole requests, and which rows are part of one."""
    traces = _one(rows.column("trace")).dictionary_encode().indices.to_numpy()
    spans, is_server = rows.column("span").to_numpy(), rows.column("is_server").to_numpy()
    order = np.lexsort((is_server, spans, traces))
    same = (np.diff(traces[order]) == 0) & (np.diff(spans[order]) == 0)
    firsts = np.flatnonzero(same & ~is_server[order][:-1] & is_server[order][1:])
    clients, servers = order[firsts], order[firsts + 1]
    taken = np.zeros(rows.num_rows, bool)
    taken[clients] = taken[servers] = True
    return clients, servers, taken


def _text(rows: pa.Table, name: str) -> pa.StringArray:
    return _one(rows.column(name)).cast(pa.string())


def _one(column: pa.Array) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
