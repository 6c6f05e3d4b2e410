"""How a record of the topic ``access_logs`` says what it holds: a line with its content type goes first.

A log with headers of its own (Kafka) would carry the line as the header ``content-type``.
"""

from vigla.errors import BadInput

ENVOY = b"application/x-protobuf; proto=envoy.service.accesslog.v3.StreamAccessLogsMessage"
OTLP = b"application/x-protobuf; proto=opentelemetry.proto.collector.logs.v1.ExportLogsServiceRequest"

_LONGEST = 256


def wrap(content_type: bytes, body: bytes) -> bytes:
    """The record of a body."""
    return content_type + b"\n" + body


def unwrap(record: bytes) -> tuple[bytes, bytes]:
    """Content type and body of a record.

    Raises:
        BadInput: there is no content type, or none that is known.
    """
    end = record.find(b"\n", 0, _LONGEST)
    content_type = record[: max(end, 0)]
    if content_type not in {ENVOY, OTLP}:
        raise BadInput(f"record of access_logs begins with no known content type: {record[:40]!r}")
    return content_type, record[end + 1 :]
