"""OTLP payloads with the shape of Jaeger's ``tracegen``, made beforehand and made unique by patching bytes.

Shape: 10 spans a trace (one ``lets-go`` server span with 9 client children), 11 string attributes a
span that cycle through 97 keys and 1,000 values, 10 services. One trace, and one request, comes from one
service, as in tracegen, where each service has its own exporter. Two departures, both to the harder side:
the root span has 11 attributes as well (tracegen: 2), and durations are log-normal with a median of 2 ms
(tracegen: all 123 us), so that a search by duration selects something.

A payload is encoded once. Sending it again costs one scatter of new ids and times into its bytes.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate

import numpy as np
import numpy.typing as npt

SERVICES = 10
SPANS_PER_TRACE = 10
ATTRIBUTES = 11
KEYS = 97
VALUES = 1_000
CHILD_INTERVAL_NS = 123_000
MEDIAN_DURATION_NS = 2_000_000

_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5
_SERVER, _CLIENT = 2, 3
_SAMPLED_AND_LOCAL = 0x101

Bytes = npt.NDArray[np.uint8]
Counts = npt.NDArray[np.uint64]


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | _LENGTH) + _varint(len(content)) + content


def _attribute(field: int, key: str, value: str) -> bytes:
    return _field(field, _field(1, key.encode()) + _field(2, _field(1, value.encode())))


def _mix(numbers: Counts) -> Counts:
    """A bijection on 64 bits (splitmix64), so that counters become unique ids that look random."""
    x = numbers + np.uint64(0x9E3779B97F4A7C15)
    x = (x ^ (x >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    x = (x ^ (x >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return x ^ (x >> np.uint64(31))


@dataclass(frozen=True, slots=True)
class Stamped:
    """A payload ready to send, and the ids in it.

    Attributes:
        payload: the request.
        trace_ids: high and low half, shape (traces, 2).
        span_ids: shape (traces, spans a trace); the root is first.
    """

    payload: bytes
    trace_ids: Counts
    span_ids: Counts

    @property
    def spans(self) -> int:
        """Number of spans."""
        return self.span_ids.size


class Payload:
    """One ``ExportTraceServiceRequest`` of ``traces`` whole traces from one service.

    Args:
        service: number of the service, below ``SERVICES``.
        traces: traces in the request; it has ten times as many spans.
        first_attribute: where in the cycle of attributes the first span starts.
        seed: of the durations.
    """

    def __init__(self, service: int, traces: int, first_attribute: int, seed: int) -> None:
        self.traces = traces
        self.spans = traces * SPANS_PER_TRACE
        self._durations = _durations(traces, seed)
        self._offsets = np.arange(SPANS_PER_TRACE, dtype=np.int64) * CHILD_INTERVAL_NS
        encoded, places = _encode_spans(traces, first_attribute)
        scope = _field(1, _field(1, b"tracegen"))
        resource = _field(1, _attribute(1, "service.name", f"tracegen-{service:02d}"))
        scope_spans = scope + encoded
        head = resource + _varint(2 << 3 | _LENGTH) + _varint(len(scope_spans)) + scope
        outer = _varint(1 << 3 | _LENGTH) + _varint(len(head) + len(encoded))
        self._bytes = np.frombuffer(bytearray(outer + head + encoded), dtype=np.uint8)
        self._index = (places + len(outer) + len(head)).ravel()

    def stamp(self, counter: int, run: int, start_ns: npt.NDArray[np.int64]) -> Stamped:
        """Give all spans new ids and times.

        Args:
            counter: number of spans stamped before in this run; ids are unique in a run.
            run: distinguishes runs.
            start_ns: start of each trace, Unix nanoseconds, shape (traces,).
        """
        numbers = np.arange(counter, counter + self.spans, dtype=np.uint64) + np.uint64(run << 40)
        span_ids = _mix(numbers).reshape(self.traces, SPANS_PER_TRACE)
        first = numbers[::SPANS_PER_TRACE]
        traces = np.stack([_mix(~first), _mix(_mix(first))], axis=1)
        starts = start_ns[:, None] + self._offsets
        ends = starts + self._durations
        fresh = np.empty((self.traces, SPANS_PER_TRACE, _PATCHED), dtype=np.uint8)
        fresh[:, :, 0:16] = traces.astype(">u8").view(np.uint8).reshape(-1, 1, 16)
        fresh[:, :, 16:24] = span_ids.astype(">u8")[:, :, None].view(np.uint8)
        fresh[:, :, 24:32] = span_ids[:, :1].astype(">u8").view(np.uint8)[:, None, :]
        fresh[:, :, 32:40] = starts.astype("<i8")[:, :, None].view(np.uint8)
        fresh[:, :, 40:48] = ends.astype("<i8")[:, :, None].view(np.uint8)
        self._bytes[self._index] = fresh.ravel()
        return Stamped(self._bytes.tobytes(), traces, span_ids)


_PATCHED = 16 + 8 + 8 + 8 + 8


def _durations(traces: int, seed: int) -> npt.NDArray[np.int64]:
    """Child durations are log-normal; a root lasts until its last child has ended."""
    drawn = np.random.default_rng(seed).lognormal(np.log(MEDIAN_DURATION_NS), 1.0, (traces, SPANS_PER_TRACE))
    durations = drawn.astype(np.int64)
    ends = durations + np.arange(SPANS_PER_TRACE) * CHILD_INTERVAL_NS
    durations[:, 0] = ends.max(axis=1)
    return durations


def _encode_spans(traces: int, first_attribute: int) -> tuple[bytes, npt.NDArray[np.int64]]:
    """The ``spans`` fields of a ScopeSpans and where the patched bytes stand: shape (spans, 48)."""
    pieces: list[bytes] = []
    places = np.empty((traces * SPANS_PER_TRACE, _PATCHED), dtype=np.int64)
    length = 0
    for number in range(traces * SPANS_PER_TRACE):
        body, relative = _encode_span(number % SPANS_PER_TRACE, first_attribute + number * ATTRIBUTES)
        head = _varint(2 << 3 | _LENGTH) + _varint(len(body))
        places[number] = relative + length + len(head)
        pieces.append(head + body)
        length += len(head) + len(body)
    return b"".join(pieces), places


def _encode_span(position: int, attribute: int) -> tuple[bytes, npt.NDArray[np.int64]]:
    """One span with zeroed ids and times, and where they stand.

    A child's parent is the root. The root has no parent field; the place of its own id stands in for it,
    as the bytes written to both are the same.
    """
    name = b"lets-go" if position == 0 else f"child-span-{position - 1:02d}".encode()
    kind = _SERVER if position == 0 else _CLIENT
    pieces = (
        _field(1, bytes(16)),
        _field(2, bytes(8)),
        _field(4, bytes(8)) if position else b"",
        _varint(7 << 3 | _FIXED64) + bytes(8),
        _varint(8 << 3 | _FIXED64) + bytes(8),
    )
    ends = accumulate(len(piece) for piece in pieces)
    places = [np.arange(end - width, end) for end, width in zip(ends, (16, 8, 8, 8, 8), strict=True)]
    tail = _field(5, name) + _varint(6 << 3 | _VARINT) + _varint(kind) + _attributes(attribute)
    flags = _varint(16 << 3 | _FIXED32) + _SAMPLED_AND_LOCAL.to_bytes(4, "little")
    return b"".join(pieces) + tail + flags, np.concatenate(places)


def _attributes(first: int) -> bytes:
    return b"".join(_CYCLE[number % len(_CYCLE)] for number in range(first, first + ATTRIBUTES))


_CYCLE = tuple(_attribute(9, f"attr_{n % KEYS:02d}", f"val_{n % VALUES:02d}") for n in range(KEYS * VALUES))


class Generator:
    """An endless supply of unique payloads from a fixed set of templates.

    Args:
        payloads: templates; 200 of 500 spans pass once through the cycle of attributes.
        traces: traces in each.
        run: distinguishes runs on one lake.
    """

    def __init__(self, payloads: int = 200, traces: int = 50, run: int = 1) -> None:
        step = traces * SPANS_PER_TRACE * ATTRIBUTES
        self._templates = [Payload(n % SERVICES, traces, n * step, n) for n in range(payloads)]
        self._run = run
        self._counter = 0
        self._next = 0

    def next(self, start_ns: int, spread_ns: int = 0) -> Stamped:
        """One payload; its traces start evenly in ``spread_ns`` from ``start_ns``."""
        template = self._templates[self._next % len(self._templates)]
        self._next += 1
        starts = start_ns + np.arange(template.traces, dtype=np.int64) * (spread_ns // template.traces)
        stamped = template.stamp(self._counter, self._run, starts)
        self._counter += template.spans
        return stamped


def over(generator: Generator, spans: int, start_ns: int, end_ns: int) -> Iterator[bytes]:
    """Payloads with ``spans`` spans in total whose traces spread evenly over a time range, in time order."""
    sent = 0
    while sent < spans:
        at = start_ns + (end_ns - start_ns) * sent // spans
        stamped = generator.next(at, (end_ns - start_ns) * 500 // spans)
        sent += stamped.spans
        yield stamped.payload
