"""Records of topics that others write, as the payloads that our own records are.

The encodings are those of the OpenTelemetry Collector's Kafka exporter and receiver, and of Jaeger's.
"""

from vigla.bus.kafka.topics import Source
from vigla.errors import BadInput
from vigla.settings import Encoding
from vigla.wire.jaeger_spans import from_jaeger_json_span, from_jaeger_proto
from vigla.wire.otlp.admit import admit
from vigla.wire.otlp.descriptors import Signal
from vigla.wire.otlp.from_json import from_json
from vigla.wire.zipkin import from_zipkin_json

_SIGNALS: dict[str, Signal] = {"traces": "traces", "metrics": "metrics", "logs": "logs"}


def payload_of(source: Source, value: bytes) -> bytes:
    """An OTLP export request of the record's signal, checked as the collector checks one.

    Raises:
        BadInput: the record is not of its topic's encoding.
    """
    signal = _SIGNALS[source.topic]
    try:
        return admit(signal, _otlp(source.encoding, signal, value)).payload
    except BadInput as error:
        raise BadInput(f"no {source.encoding}: {error}") from error
    except ValueError as error:  # protobuf's DecodeError is one
        raise BadInput(f"no {source.encoding}: {error}") from error


def _otlp(encoding: Encoding | None, signal: Signal, value: bytes) -> bytes:
    match encoding:
        case "otlp_json":
            return from_json(signal, value)
        case "jaeger_proto":
            return from_jaeger_proto(value)
        case "jaeger_json":
            return from_jaeger_json_span(value)
        case "zipkin_json":
            return from_zipkin_json(value)
    return value
