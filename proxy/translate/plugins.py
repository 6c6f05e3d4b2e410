"""What other parts put into listeners: authorization, tokens, telemetry."""

from typing import Any, Protocol

from proxy.translate.world import Direction, Proxy, World

Json = dict[str, Any]


class Plugins(Protocol):
    """Gives filters, logs and tracing of one listener or filter chain; the port is the workload's inbound."""

    def http_filters(self, world: World, proxy: Proxy, direction: Direction, port: int) -> list[Json]:
        """HTTP filters before CORS, faults and the router, in their order."""
        ...

    def network_filters(self, world: World, proxy: Proxy, direction: Direction, port: int) -> list[Json]:
        """Network filters before ``tcp_proxy``."""
        ...

    def access_logs(self, world: World, proxy: Proxy, direction: Direction, *, http: bool) -> list[Json]:
        """Access loggers of HTTP or of TCP."""
        ...

    def tracing(self, world: World, proxy: Proxy, direction: Direction) -> Json | None:
        """The ``tracing`` of HTTP connection managers; None: no spans."""
        ...


class NoPlugins:
    """Adds nothing."""

    def http_filters(self, world: World, proxy: Proxy, direction: Direction, port: int) -> list[Json]:
        """None."""
        del world, proxy, direction, port
        return []

    def network_filters(self, world: World, proxy: Proxy, direction: Direction, port: int) -> list[Json]:
        """None."""
        del world, proxy, direction, port
        return []

    def access_logs(self, world: World, proxy: Proxy, direction: Direction, *, http: bool) -> list[Json]:
        """None."""
        del world, proxy, direction, http
        return []

    def tracing(self, world: World, proxy: Proxy, direction: Direction) -> Json | None:
        """None."""
        del world, proxy, direction
        return None


NO_PLUGINS = NoPlugins()
