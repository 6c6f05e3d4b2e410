"""The OpenTelemetry SDK as an application would set it up: resource, batching, OTLP over gRPC."""

import os
import socket

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

EXPORT_INTERVAL_MS = 500  # the SDK's default of 5 s would be a long wait in front of an empty page


def start(service: str, version: str, endpoint: str) -> TracerProvider:
    """Make the process's tracer provider; ``shutdown`` on it sends what is left.

    Args:
        service: ``service.name``.
        version: ``service.version``.
        endpoint: OTLP gRPC address, ``http://host:port``.
    """
    resource = Resource.create(
        {
            "service.name": service,
            "service.version": version,
            "service.namespace": "bookinfo",
            "service.instance.id": f"{service}-{version}-{os.getpid()}",
            "deployment.environment.name": "demo",
            "host.name": socket.gethostname(),
        }
    )
    provider = TracerProvider(resource=resource)
    exporter = OTLPSpanExporter(endpoint=endpoint, insecure=True)
    provider.add_span_processor(BatchSpanProcessor(exporter, schedule_delay_millis=EXPORT_INTERVAL_MS))
    trace.set_tracer_provider(provider)
    return provider
