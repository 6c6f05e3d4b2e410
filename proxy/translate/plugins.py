"""What other parts of the mesh put into the listeners: security, telemetry and tracing."""

from typing import Any, Protocol

from proxy.translate.world import Direction, Proxy, World


class Plugins(Protocol):
    """Makers of filters and logs; all values are JSON forms of Envoy's messages."""

    def http_filters(
        self, world: World, proxy: Proxy, direction: Direction, port: int
    ) -> list[dict[str, Any]]:
        """HTTP filters that stand before the cors, fault and router filters."""
        ...

    def network_filters(
        self, world: World, proxy: Proxy, direction: Direction, port: int
    ) -> list[dict[str, Any]]:
        """Network filters that stand before ``tcp_proxy``."""
        ...

    def access_logs(
        self, world: World, proxy: Proxy, direction: Direction, *, http: bool
    ) -> list[dict[str, Any]]:
        """Access loggers of a connection manager (``http``) or of ``tcp_proxy``."""
        ...

    def tracing(self, world: World, proxy: Proxy, direction: Direction) -> dict[str, Any] | None:
        """``HttpConnectionManager.Tracing``; None: no spans."""
        ...


class NoPlugins:
    """Adds nothing."""

    def http_filters(
        self, world: World, proxy: Proxy, direction: Direction, port: int
    ) -> list[dict[str, Any]]:
        """None."""
        del world, proxy, direction, port
        return []

    def network_filters(
        self, world: World, proxy: Proxy, direction: Direction, port: int
    ) -> list[dict[str, Any]]:
        """None."""
        del world, proxy, direction, port
        return []

    def access_logs(
        self, world: World, proxy: Proxy, direction: Direction, *, http: bool
    ) -> list[dict[str, Any]]:
        """None."""
        del world, proxy, direction, http
        return []

    def tracing(self, world: World, proxy: Proxy, direction: Direction) -> dict[str, Any] | None:
        """None."""
        del world, proxy, direction
        return None
