"""Between a receiver and the bus: bounded memory, the parse check, the durable append, counters."""

import asyncio
import logging
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Literal, ParamSpec, TypeAlias, TypeVar

from collector.series_limit import SeriesLimit
from vigla.bus.api import Producer
from vigla.clock import SystemClock
from vigla.errors import Overloaded
from vigla.settings import CollectorSettings
from vigla.telemetry.metrics import Metrics
from vigla.wire.access_logs import admit as access_logs
from vigla.wire.access_logs import envelope, otlp
from vigla.wire.otlp.admit import Admitted, admit
from vigla.wire.otlp.descriptors import Signal
from vigla.wire.otlp.from_json import from_json
from vigla.wire.remote_write import admit as remote_write
from vigla.wire.remote_write.descriptors import Version

log = logging.getLogger(__name__)

P = ParamSpec("P")
T = TypeVar("T")

INLINE_BYTES = (
    1024 * 1024
)  # checking this much takes a few milliseconds; larger bodies leave the event loop free
INLINE_SNAPPY_BYTES = 32 * 1024  # about 1,500 samples
INLINE_JSON_BYTES = 32 * 1024  # JSON takes about 30 times as long as protobuf
PARSE_THREADS = 2

Transport = Literal["grpc", "http", "udp", "file"]
Accepted: TypeAlias = Signal | Literal["access_logs", "remote_write"]
"""What is counted apart."""
Reason = Literal["invalid", "too_large", "encoding", "media_type", "overload", "timeout", "disconnect"]


class Admission:
    """Admits payloads of every transport under one bound on memory."""

    def __init__(self, settings: CollectorSettings, producer: Producer, metrics: Metrics) -> None:
        """Start with nothing in flight.

        Args:
            settings: bounds on bodies.
            producer: the bus.
            metrics: counts what is accepted, rejected and refused.
        """
        self.settings = settings
        self._metrics = metrics
        self._producer = producer
        self._held = 0
        self._clock = SystemClock()
        self._series_limit = SeriesLimit(settings.max_series_per_source, self._clock)
        self._lock = threading.Lock()
        self._threads = ThreadPoolExecutor(PARSE_THREADS, thread_name_prefix="collector-parse")

    @contextmanager
    def lease(self) -> Iterator["Lease"]:
        """Memory for one request; given back at the end."""
        lease = Lease(self)
        try:
            yield lease
        finally:
            self._hold(-lease.size)

    async def accept_protobuf(self, signal: Signal, transport: Transport, body: bytes) -> Admitted:
        """Check a body and append it; returns once it is durable.

        Raises:
            BadInput: the body does not parse.
            Overloaded: the bus is full.
        """
        if len(body) > INLINE_BYTES:
            admitted = await self.in_thread(admit, signal, body, self._series_limit)
        else:
            admitted = admit(signal, body, self._series_limit)
        return await self._append(signal, transport, admitted)

    async def accept_json(self, signal: Signal, transport: Transport, body: bytes) -> Admitted:
        """As ``accept_protobuf``, for OTLP/JSON."""
        if len(body) > INLINE_JSON_BYTES:
            payload = await self.in_thread(from_json, signal, body)
        else:
            payload = from_json(signal, body)
        return await self.accept_protobuf(signal, transport, payload)

    async def accept_access_logs(self, message: bytes, identifier: bytes) -> bytes:
        """Check one message of an access log stream and append it; returns once it is durable.

        Args:
            message: serialised ``StreamAccessLogsMessage``.
            identifier: what this gave for the stream's message before; empty for the first.

        Returns:
            The stream's identifier.

        Raises:
            BadInput: the message does not parse.
            Overloaded: the bus is full.
        """
        if len(message) > INLINE_BYTES:
            admitted = await self.in_thread(access_logs.admit, message, identifier)
        else:
            admitted = access_logs.admit(message, identifier)
        if admitted.entries:
            await self._producer.append("access_logs", admitted.record)
            labels = {"signal": "access_logs", "transport": "grpc"}
            self._metrics.add("vigla_collector_accepted_total", admitted.entries, **labels)
        return admitted.identifier

    async def accept_remote_write(self, version: Version, body: bytes) -> remote_write.AdmittedWrite:
        """Check a compressed remote write request and append it; returns once it is durable.

        Raises:
            BadInput: nothing of it can be kept.
            Overloaded: the bus is full.
        """
        now_ms = self._clock.now_ns() // 10**6
        if len(body) > INLINE_SNAPPY_BYTES:
            admitted = await self.in_thread(remote_write.admit, version, body, now_ms, self._series_limit)
        else:
            admitted = remote_write.admit(version, body, now_ms, self._series_limit)
        if admitted.rejected:
            labels = {"signal": "remote_write", "transport": "http"}
            self._metrics.add("vigla_collector_rejected_total", admitted.rejected, **labels)
        if admitted.record:
            await self._producer.append("remote_write", admitted.record)
            labels = {"signal": "remote_write", "transport": "http"}
            self._metrics.add(
                "vigla_collector_accepted_total", admitted.samples + admitted.histograms, **labels
            )
        return admitted

    async def in_thread(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Do what takes long outside the event loop."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._threads, lambda: work(*args, **kwargs))

    def refused(self, signal: Accepted, transport: Transport, reason: Reason) -> None:
        """Count a request, or a message of a stream, that was refused as a whole."""
        self._metrics.add("vigla_collector_refused_total", signal=signal, transport=transport, reason=reason)

    def close(self) -> None:
        """End the threads once nothing is in flight any more."""
        self._threads.shutdown(wait=False)

    async def _append(self, signal: Signal, transport: Transport, admitted: Admitted) -> Admitted:
        labels = {"signal": signal, "transport": transport}
        if admitted.accepted:
            await self._keep(signal, admitted.payload, admitted.key)
            self._metrics.add("vigla_collector_accepted_total", admitted.accepted, **labels)
        if admitted.rejected:
            self._metrics.add("vigla_collector_rejected_total", admitted.rejected, **labels)
        return admitted

    async def _keep(self, signal: Signal, payload: bytes, key: bytes) -> None:
        """Append; Envoy's access logs among logs go to their own topic.

        Where a request has both and the second append is refused, the sender repeats the first.
        """
        if signal == "logs":
            access, payload = otlp.divided(payload)
            if access:
                await self._producer.append("access_logs", envelope.wrap(envelope.OTLP, access))
        if payload:
            await self._producer.append(signal, payload, key)

    def _hold(self, size: int) -> None:
        """Count bytes; bodies are inflated in several threads."""
        with self._lock:
            if size > 0 and self._held + size > self.settings.max_inflight_bytes:
                raise Overloaded("too many bytes are in flight (collector.max_inflight_bytes)")
            self._held += size
            self._metrics.set("vigla_collector_inflight_bytes", self._held)


class Lease:
    """Memory that one request holds."""

    def __init__(self, admission: Admission) -> None:
        self._admission = admission
        self.size = 0

    def grow(self, size: int) -> None:
        """Hold more bytes.

        Raises:
            Overloaded: all requests together would hold too many.
        """
        self._admission._hold(size)  # noqa: SLF001  the two are one
        self.size += size
