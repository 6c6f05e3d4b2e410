"""Traces that the pages are shown, as OTLP requests."""

import random
from collections.abc import Mapping

from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.common.v1.common_pb2 import AnyValue, KeyValue
from opentelemetry.proto.resource.v1.resource_pb2 import Resource
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans, Span, Status

MS = 1_000_000
CLIENT, SERVER, INTERNAL = Span.SPAN_KIND_CLIENT, Span.SPAN_KIND_SERVER, Span.SPAN_KIND_INTERNAL
HOSTILE = '<img src=x onerror="document.title=1"><script>document.title=2</script>'
LONG = "a-very-long-service-name-that-goes-on-and-on-for-ever-and-ever-canary-eu-west-1"


class TraceBuilder:
    """Collects spans of one trace; ``request`` gives them as one OTLP payload."""

    def __init__(self, trace_id: str, start_ns: int) -> None:
        self.trace_id = trace_id
        self._start = start_ns
        self._spans: dict[str, list[Span]] = {}
        self._count = 0

    def add(  # noqa: PLR0913 - a span has that many parts
        self,
        service: str,
        name: str,
        parent: int,
        start_ms: float,
        duration_ms: float,
        *,
        kind: Span.SpanKind.ValueType = SERVER,
        failed: bool = False,
        attributes: Mapping[str, str | int] | None = None,
        events: tuple[str, ...] = (),
        link: str = "",
    ) -> int:
        """Add a span and return its id; ``parent`` 0 for a root."""
        self._count += 1
        begin = self._start + int(start_ms * MS)
        span = Span(
            trace_id=bytes.fromhex(self.trace_id),
            span_id=self._count.to_bytes(8, "big"),
            parent_span_id=parent.to_bytes(8, "big") if parent else b"",
            name=name,
            kind=kind,
            start_time_unix_nano=begin,
            end_time_unix_nano=begin + int(duration_ms * MS),
            attributes=[_attribute(key, value) for key, value in (attributes or {}).items()],
            events=[Span.Event(time_unix_nano=begin + MS, name=event) for event in events],
            links=[Span.Link(trace_id=bytes.fromhex(link), span_id=b"\1" * 8)] if link else [],
            status=Status(code=Status.STATUS_CODE_ERROR, message="upstream reset") if failed else None,
        )
        self._spans.setdefault(service, []).append(span)
        return self._count

    def request(self) -> bytes:
        """The spans, grouped by service."""
        return ExportTraceServiceRequest(
            resource_spans=[
                ResourceSpans(
                    resource=Resource(
                        attributes=[_attribute("service.name", service), _attribute("host.name", "node-1")]
                    ),
                    scope_spans=[ScopeSpans(spans=spans)],
                )
                for service, spans in self._spans.items()
            ]
        ).SerializeToString()


def bookinfo(trace_id: str, start_ns: int, *, scale: float = 1, failed: bool = False) -> bytes:
    """Productpage calls details, then reviews, which calls ratings: seven spans, 100 ms times ``scale``."""
    trace = TraceBuilder(trace_id, start_ns)
    root = trace.add("productpage", "GET /productpage", 0, 0, 100 * scale, attributes={"user": "jason"})
    call = trace.add("productpage", "GET details", root, 2, 20 * scale, kind=CLIENT)
    trace.add(
        "details", "GET /details/{id}", call, 3, 18 * scale, attributes={"http.response.status_code": 200}
    )
    call = trace.add("productpage", "GET reviews", root, 25 * scale, 70 * scale, kind=CLIENT, failed=failed)
    reviews = trace.add(
        "reviews",
        "GET /reviews/{id}",
        call,
        26 * scale,
        66 * scale,
        failed=failed,
        attributes={
            "http.response.status_code": 500 if failed else 200,
            "http.request.method": "GET",
            "url.path": "/reviews/0",
            "version": "v2",
        },
        events=("cache.miss", "retry"),
        link="f" * 32,
    )
    call = trace.add("reviews", "GET ratings", reviews, 30 * scale, 40 * scale, kind=CLIENT)
    trace.add("ratings", "GET /ratings/{id}", call, 31 * scale, 38 * scale)
    return trace.request()


def large(trace_id: str, start_ns: int, spans: int) -> bytes:
    """One trace of many spans, nested at random."""
    choose = random.Random(7)
    trace = TraceBuilder(trace_id, start_ns)
    ids = [trace.add("productpage", "GET /productpage", 0, 0, 4000)]
    for i in range(spans - 1):
        parent = ids[choose.randrange(max(0, i - 40), i + 1)]
        service = choose.choice(["cart", "payment", "inventory", "shipping", "stock", "mail"])
        ids.append(trace.add(service, f"step {i}", parent, i * 3900 / spans, choose.uniform(0.2, 90)))
    return trace.request()


def hostile(trace_id: str, start_ns: int) -> bytes:
    """Names that are markup, too long, empty, right-to-left; parents that go in a circle or are missing."""
    trace = TraceBuilder(trace_id, start_ns)
    root = trace.add(HOSTILE, HOSTILE, 0, 0, 50, attributes={HOSTILE: HOSTILE, "long": "y" * 5000})
    child = trace.add(LONG, "GET /" + "x" * 300, root, 1, 40)
    trace.add("\u202eevil", "line\nbreak \u0000", child, 2, 0, failed=True)
    trace.add("__proto__", "constructor", child, 3, 9)
    trace.add("orphan", "parent missing", 999, 4, 1)
    trace.add("circle", "one", 7, 5, 3)
    trace.add("circle", "two", 6, 6, 1)
    return trace.request()


def single(trace_id: str, start_ns: int) -> bytes:
    """One span that took no time."""
    trace = TraceBuilder(trace_id, start_ns)
    trace.add("solo", "instant", 0, 0, 0, kind=INTERNAL)
    return trace.request()


def _attribute(key: str, value: str | int) -> KeyValue:
    return KeyValue(
        key=key, value=AnyValue(int_value=value) if isinstance(value, int) else AnyValue(string_value=value)
    )
