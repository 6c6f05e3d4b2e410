"""What stands between a receiver and the bus: bounded memory, the parse check, the durable append, the counters."""

import asyncio
import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager

from vigla.bus.api import Producer, Topic
from vigla.errors import BadInput, Overloaded
from vigla.settings import CollectorSettings
from vigla.telemetry.metrics import Metrics
from vigla.wire.otlp.admit import Admitted, admit
from vigla.wire.otlp.descriptors import Signal
from vigla.wire.otlp.from_json import from_json

log = logging.getLogger(__name__)

INLINE_BYTES = 1 << 20  # a parse check of 1 MiB takes about 1 ms; larger ones leave the event loop free
PARSE_THREADS = 2

TOPIC_OF: dict[Signal, Topic] = {"traces": "traces", "metrics": "metrics", "logs": "logs"}


class Admission:
    """Admits payloads of every transport under one memory bound.

    Args:
        settings: bounds on bodies.
        producer: the bus.
        metrics: counts what is accepted, rejected and refused.
    """

    def __init__(self, settings: CollectorSettings, producer: Producer, metrics: Metrics) -> None:
        self.settings = settings
        self.metrics = metrics
        self._producer = producer
        self._inflight = 0
        self._idle = asyncio.Event()
        self._idle.set()
        self._threads = ThreadPoolExecutor(PARSE_THREADS, thread_name_prefix="collector-parse")

    @contextmanager
    def holding(self, size: int) -> Iterator[None]:
        """Count ``size`` bytes as held in memory while inside.

        Raises:
            Overloaded: the bound on bytes held at once would be passed.
        """
        if self._inflight + size > self.settings.max_inflight_bytes:
            raise Overloaded(
                "too many requests are in flight: retry later, or raise collector.max_inflight_bytes"
            )
        self._count(size)
        try:
            yield
        finally:
            self._count(-size)

    async def accept(self, signal: Signal, transport: str, body: bytes, *, as_json: bool = False) -> Admitted:
        """Check a body and append it; returns once it is durable.

        Raises:
            BadInput: the body does not parse.
            Overloaded: the bus is full.
        """
        if len(body) > INLINE_BYTES or as_json:
            loop = asyncio.get_running_loop()
            admitted = await loop.run_in_executor(self._threads, _checked, signal, body, as_json)
        else:
            admitted = _checked(signal, body, as_json)
        if admitted.accepted:
            await self._producer.append(TOPIC_OF[signal], admitted.payload)
            self.metrics.add(
                "vigla_collector_accepted_total", admitted.accepted, signal=signal, transport=transport
            )
        if admitted.rejected:
            self.metrics.add(
                "vigla_collector_rejected_total", admitted.rejected, signal=signal, transport=transport
            )
        return admitted

    def refused(self, signal: str, transport: str, reason: str) -> None:
        """Count a request that was refused as a whole."""
        self.metrics.add("vigla_collector_refused_total", signal=signal, transport=transport, reason=reason)

    async def close(self, grace_s: float) -> None:
        """Wait up to ``grace_s`` seconds until no request is in flight."""
        try:
            await asyncio.wait_for(self._idle.wait(), grace_s)
        except TimeoutError:
            log.warning("requests were still in flight", extra={"bytes": self._inflight})
        self._threads.shutdown(wait=False)

    def _count(self, size: int) -> None:
        self._inflight += size
        self.metrics.set("vigla_collector_inflight_bytes", self._inflight)
        if self._inflight:
            self._idle.clear()
        else:
            self._idle.set()


def _checked(signal: Signal, body: bytes, as_json: bool) -> Admitted:  # noqa: FBT001 (called by position in a thread)
    try:
        return admit(signal, from_json(signal, body) if as_json else body)
    except RecursionError as error:
        raise BadInput("the payload is nested too deeply") from error
