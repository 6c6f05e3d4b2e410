"""Files of traces, read as OTLP export requests of bounded size.

What a file holds is told by its first bytes:

| content | read as |
|---|---|
| gzip or zstd | what is inside |
| JSON with ``data`` or ``spans`` | Jaeger's traces, see ``vigla.wire.jaeger_json`` |
| other JSON | OTLP: ``TracesData`` or an export request, also below ``result`` as Jaeger's v3 API answers |
| a JSON document a line | each of them (the OpenTelemetry Collector's file exporter) |
| 0x00 | protobuf messages, each after its length in four bytes, big-endian (the same, ``format: proto``) |
| else | one protobuf message |
"""

import io
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from itertools import chain
from typing import Any, BinaryIO

import orjson
import pyarrow as pa
from google.protobuf.message import DecodeError
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.proto.trace.v1.trace_pb2 import ResourceSpans, ScopeSpans

from vigla.errors import BadInput
from vigla.wire.jaeger_json import from_jaeger_json, is_jaeger_json
from vigla.wire.otlp.from_json import from_json

MAX_SPANS = 2_000
MAX_BYTES = 4 * 1024 * 1024  # what OTLP receivers take at least: gRPC's default message size

_GZIP = b"\x1f\x8b"
_ZSTD = b"\x28\xb5\x2f\xfd"
_LENGTH_BYTES = 4


def read_requests(file: BinaryIO) -> Iterator[ExportTraceServiceRequest]:
    """The messages of a file, in its order. The file must stay open meanwhile.

    Raises:
        BadInput: the content is none of the above; the message holds the line and the path of what is wrong.
    """
    try:
        with _inflated(file) as content:
            first = content.peek(1).lstrip()[:1]
            if not first:
                raise BadInput("the file is empty")
            if first in b"{[":
                yield from _from_json(content)
            elif first == b"\0":
                yield from _from_frames(content)
            else:
                yield _parsed(content.read())
    except OSError as error:
        raise BadInput(f"cannot be read: {error}") from error


def bounded(
    requests: Iterable[ExportTraceServiceRequest], max_spans: int = MAX_SPANS, max_bytes: int = MAX_BYTES
) -> Iterator[tuple[ExportTraceServiceRequest, int]]:
    """Cut and join requests: each has at most so many spans and bytes, except where one span alone has more.

    Returns:
        Requests with the number of spans in them.
    """
    batch = _Batch()
    for request in requests:
        for resource_spans in request.resource_spans:
            for scope_spans in resource_spans.scope_spans:
                batch.begin(resource_spans, scope_spans)
                for span in scope_spans.spans:
                    size = span.ByteSize()
                    if batch.spans and (batch.spans >= max_spans or batch.size + size > max_bytes):
                        yield batch.request, batch.spans
                        batch = _Batch()
                        batch.begin(resource_spans, scope_spans)
                    batch.target.spans.append(span)
                    batch.spans += 1
                    batch.size += size
    if batch.spans:
        yield batch.request, batch.spans


class _Batch:
    def __init__(self) -> None:
        self.request = ExportTraceServiceRequest()
        self.target = ScopeSpans()
        self.spans = 0
        self.size = 0

    def begin(self, resource_spans: ResourceSpans, scope_spans: ScopeSpans) -> None:
        """Spans that follow belong to this resource and scope."""
        group = self.request.resource_spans.add(
            resource=resource_spans.resource, schema_url=resource_spans.schema_url
        )
        self.target = group.scope_spans.add(scope=scope_spans.scope, schema_url=scope_spans.schema_url)
        self.size += group.ByteSize()


@contextmanager
def _inflated(file: BinaryIO) -> Iterator[io.BufferedReader]:
    start = file.read(len(_ZSTD))
    file.seek(0)
    packed = "gzip" if start.startswith(_GZIP) else "zstd" if start == _ZSTD else None
    # Any: Arrow's and rich's files have the methods that are needed, not the base class.
    stream: Any = file if packed is None else pa.CompressedInputStream(pa.PythonFile(file, "r"), packed)
    content = io.BufferedReader(stream)
    try:
        yield content
    finally:
        if not file.closed:
            content.detach()  # else it would close the caller's file


def _from_json(content: io.BufferedReader) -> Iterator[ExportTraceServiceRequest]:
    first = content.readline()
    try:
        orjson.loads(first)
    except orjson.JSONDecodeError:
        yield _of_document(first + content.read())
        return
    for number, line in enumerate(chain([first], content), start=1):
        if line.strip():
            try:
                yield _of_document(line)
            except BadInput as error:
                raise BadInput(f"line {number}: {error}") from error


def _of_document(text: bytes) -> ExportTraceServiceRequest:
    try:
        document = orjson.loads(text)
    except orjson.JSONDecodeError as error:
        raise BadInput(f"no JSON: {error}") from error
    if is_jaeger_json(document):
        return _parsed(from_jaeger_json(text))
    if isinstance(document, dict) and "result" in document:
        text, document = orjson.dumps(document["result"]), document["result"]
    if not isinstance(document, dict) or not document.keys() & {"resourceSpans", "resource_spans"}:
        raise BadInput('neither OTLP ("resourceSpans") nor Jaeger ("data", "spans")')
    return _parsed(from_json("traces", text))


def _from_frames(content: io.BufferedReader) -> Iterator[ExportTraceServiceRequest]:
    while head := content.read(_LENGTH_BYTES):
        length = int.from_bytes(head, "big")
        message = content.read(length)
        if len(head) < _LENGTH_BYTES or len(message) < length:
            raise BadInput("the file ends within a message")
        yield _parsed(message)


def _parsed(message: bytes) -> ExportTraceServiceRequest:
    try:
        return ExportTraceServiceRequest.FromString(message)
    except DecodeError as error:
        raise BadInput(f"neither JSON nor OTLP protobuf: {error}") from error
