"""Providers of Telemetries."""

from collections.abc import Iterator

from proxy.analyze.context import Context
from proxy.analyze.messages import Message, message
from proxy.api.telemetry import Telemetry


def providers(context: Context) -> Iterator[Message]:
    """Access logging without a provider, where the mesh has no default either."""
    mesh = context.mesh
    if mesh.access_log_file or (mesh.default_providers and mesh.default_providers.access_logging):
        return
    for o in context.objects.all(Telemetry):
        for index, logging in enumerate(o.spec.access_logging):
            if not logging.providers and not logging.disabled:
                path = ("spec", "accessLogging", index)
                yield message("InvalidTelemetryProvider", o, path, o.name, o.namespace)
                break


def lightstep(context: Context) -> Iterator[Message]:
    """Tracing by Lightstep's own provider."""
    old = {p.name for p in context.mesh.extension_providers if p.lightstep is not None}
    for o in context.objects.all(Telemetry):
        for index, tracing in enumerate(o.spec.tracing):
            named = [p.name for p in tracing.providers if p.name in old]
            if named:
                text = f"provider {named[0]} of Lightstep; use OpenTelemetry's"
                yield message("Deprecated", o, ("spec", "tracing", index, "providers"), text)
