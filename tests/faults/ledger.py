"""Senders that remember what was acknowledged, and the check that all of it is stored exactly once."""

import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeAlias

import grpc
import numpy as np
import numpy.typing as npt

import vigla
from benchmarks.serving import Server
from benchmarks.tracegen import Generator, Stamped

METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
ANSWER_WITHIN_S = 20.0
VISIBLE_WITHIN_S = 60.0
HOUR_NS = 3600 * 10**9

Export: TypeAlias = "grpc.UnaryUnaryMultiCallable[bytes, bytes]"  # generic only to type checkers
SpanIds = npt.NDArray[np.int64]


@dataclass(slots=True)
class Ledger:
    """Span ids by what is known of them, and what the server answered instead of an acknowledgement."""

    acknowledged: list[SpanIds] = field(default_factory=list)
    unanswered: list[SpanIds] = field(default_factory=list)
    refusals: list[grpc.StatusCode] = field(default_factory=list)

    def spans(self) -> int:
        """Spans acknowledged."""
        return sum(len(ids) for ids in self.acknowledged)


class Sender:
    """One client with requests of two traces; after a failure it goes on with the next payload.

    Args:
        run: makes its span ids differ from those of other senders.
        age_ns: how far in the past its spans lie.
        traces: traces a request.
    """

    def __init__(self, run: int, age_ns: int = 0, traces: int = 2) -> None:
        self.ledger = Ledger()
        self._generator = Generator(payloads=20, traces=traces, run=run)
        self._age_ns = age_ns

    def send(self, target: str, count: int = 1) -> None:
        """Send ``count`` requests one after the other."""
        sent = 0

        def enough() -> bool:
            nonlocal sent
            sent += 1
            return sent > count

        self.send_until(target, enough)

    def send_until(self, target: str, done: Callable[[], bool]) -> None:
        """Send one request after the other until told to end, or the server is gone."""
        with grpc.insecure_channel(target) as channel:
            export: Export = channel.unary_unary(METHOD)
            while not done():
                stamped = self._generator.next(time.time_ns() - self._age_ns)
                if self._export(export, stamped) is grpc.StatusCode.UNAVAILABLE:
                    return

    def _export(self, export: Export, stamped: Stamped) -> grpc.StatusCode:
        ids = stamped.span_ids.ravel().view(np.int64)
        try:
            export(stamped.payload, timeout=ANSWER_WITHIN_S)
        except grpc.RpcError as error:
            code: grpc.StatusCode = error.code()
            if code is grpc.StatusCode.RESOURCE_EXHAUSTED:
                self.ledger.refusals.append(code)
            else:
                self.ledger.unanswered.append(ids)
            return code
        self.ledger.acknowledged.append(ids)
        return grpc.StatusCode.OK


def stored_ids(server: Server) -> SpanIds:
    """The ids of all spans that a query sees."""
    with vigla.connect(server.query_url) as client:
        ids: SpanIds = client.sql("SELECT span_id FROM spans").arrow().column("span_id").to_numpy()
    return ids


def assert_exactly_once(server: Server, senders: list[Sender]) -> None:
    """Every acknowledged span is stored once; of the others none twice, and none that nobody sent.

    Waits, for a bounded time, until what was acknowledged has become visible.
    """
    acknowledged = _joined([ids for sender in senders for ids in sender.ledger.acknowledged])
    unanswered = _joined([ids for sender in senders for ids in sender.ledger.unanswered])
    deadline = time.monotonic() + VISIBLE_WITHIN_S
    while True:
        stored = stored_ids(server)
        missing = np.setdiff1d(acknowledged, stored)
        if not len(missing) or time.monotonic() > deadline:
            break
        time.sleep(0.5)
    unique, counts = np.unique(stored, return_counts=True)
    doubled = unique[counts > 1]
    unknown = np.setdiff1d(unique, np.concatenate([acknowledged, unanswered]))
    assert (len(missing), len(doubled), len(unknown)) == (0, 0, 0), (
        f"of {len(acknowledged)} acknowledged spans {len(missing)} are missing; of {len(stored)} stored "
        f"{len(doubled)} stand more than once and {len(unknown)} were never sent"
    )


def _joined(parts: list[SpanIds]) -> SpanIds:
    return np.concatenate(parts) if parts else np.empty(0, dtype=np.int64)
