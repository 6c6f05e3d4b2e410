"""Security and telemetry as the filters and loggers that listeners are built with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from proxy.translate.access_logs import access_loggers
from proxy.translate.authorization import (
    authorization_custom_http,
    authorization_rules_http,
    authorization_tcp,
)
from proxy.translate.jwt import jwt_filters
from proxy.translate.metrics import metric_loggers
from proxy.translate.peer_metadata import peer_filters, peer_network_filter
from proxy.translate.telemetry import TelemetrySettings
from proxy.translate.tracing import tracing_of
from proxy.translate.world import Direction, Proxy, World

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class MeshPlugins:
    """Implements ``Plugins``: authentication and authorization where traffic comes in, telemetry everywhere.

    Attributes:
        settings: where telemetry goes.
        jwks: keys that were fetched, by address (``proxy.jwks.JwksCache.keys``).
    """

    settings: TelemetrySettings = field(default_factory=TelemetrySettings)
    jwks: Mapping[str, str] = field(default_factory=dict)

    def http_filters(self, world: World, proxy: Proxy, direction: Direction, port: int) -> list[Json]:
        """Peer identity, CUSTOM, tokens, AUDIT, DENY, ALLOW."""
        del port
        made = peer_filters(proxy, direction)
        if direction is not Direction.OUTBOUND:
            made += authorization_custom_http(world, proxy)
            made += jwt_filters(world, proxy, self.jwks)
            made += authorization_rules_http(world, proxy)
        return made

    def network_filters(self, world: World, proxy: Proxy, direction: Direction, port: int) -> list[Json]:
        """Authorization of connections that come in."""
        del port
        checks = [] if direction is Direction.OUTBOUND else authorization_tcp(world, proxy)
        return [peer_network_filter(), *checks]

    def access_logs(self, world: World, proxy: Proxy, direction: Direction, *, http: bool) -> list[Json]:
        """Metrics, then logs."""
        metrics = metric_loggers(world, proxy, direction, self.settings, http=http)
        return [*metrics, *access_loggers(world, proxy, direction, self.settings, http=http)]

    def tracing(self, world: World, proxy: Proxy, direction: Direction) -> Json | None:
        """Spans of requests."""
        return tracing_of(world, proxy, direction, self.settings)
