"""Servers of all gateways that apply to a proxy, put together by port."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field

from proxy.api.gateway import Gateway, Server
from proxy.config.objects import ConfigObject
from proxy.translate.names import CATCH_ALL
from proxy.translate.world import Instance, Proxy, World

SERVICES = "internal.istio.io/gateway-service"
UNTRANSLATED = "experimental.istio.io/disable-gateway-port-translation"
ANY_ADDRESS = "0.0.0.0"  # noqa: S104 - a gateway serves on all addresses
_HTTP = ("HTTP", "HTTP2", "GRPC", "GRPC-WEB")
_PASSES = ("PASSTHROUGH", "AUTO_PASSTHROUGH")


@dataclass(frozen=True, slots=True)
class GatewayServer:
    """One server of one gateway.

    Attributes:
        gateway: that declares it.
        server: as declared.
        listen: port that the proxy listens on; the server's own port is what users connect to.
    """

    gateway: ConfigObject[Gateway]
    server: Server
    listen: int

    @property
    def gateway_name(self) -> str:
        """``namespace/name``."""
        return f"{self.gateway.namespace}/{self.gateway.name}"

    @property
    def port(self) -> int:
        """The declared port."""
        return self.server.port.number if self.server.port else 0

    @property
    def protocol(self) -> str:
        """The declared protocol, in capitals."""
        return self.server.port.protocol.upper() if self.server.port else ""

    @property
    def tls(self) -> bool:
        """Whether clients speak TLS."""
        return self.server.tls is not None and self.protocol not in _HTTP

    @property
    def terminates(self) -> bool:
        """Whether TLS ends here."""
        return self.tls and self.server.tls is not None and self.server.tls.mode not in _PASSES

    @property
    def http(self) -> bool:
        """Whether requests are routed, not connections."""
        return self.protocol in _HTTP or (self.protocol == "HTTPS" and self.terminates)

    @property
    def hosts(self) -> tuple[str, ...]:
        """``namespace/host`` each; ``*`` is any namespace."""
        made = []
        for host in self.server.hosts:
            namespace, slash, name = host.partition("/")
            if not slash:
                namespace, name = "*", host
            made.append(f"{self.gateway.namespace if namespace == '.' else namespace}/{name}")
        return tuple(made)

    @property
    def names(self) -> list[str]:
        """Host names without namespaces."""
        return list(dict.fromkeys(host.partition("/")[2] for host in self.hosts))

    @property
    def route_name(self) -> str:
        """Of the route configuration; empty: it routes connections."""
        if not self.http:
            return ""
        if not self.tls:
            return f"http.{self.listen}" + (f".{self.server.bind}" if self.server.bind else "")
        name = self.server.port.name if self.server.port else ""
        return f"https.{self.port}.{name}.{self.gateway.name}.{self.gateway.namespace}"


@dataclass(slots=True)
class PortServers:
    """All servers of one address and port: plain HTTP, TLS of any kind, or one of plain TCP."""

    port: int
    bind: str
    servers: list[GatewayServer] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Of the listener."""
        return f"{self.bind}_{self.port}"

    def add(self, server: GatewayServer) -> None:
        """Take one more server, unless it conflicts with an older one."""
        first = self.servers[0] if self.servers else server
        if first.tls != server.tls or (not first.tls and first.http != server.http):
            return
        if server is not first and not server.http and not server.tls:
            return
        taken = {name for s in self.servers for name in s.names}
        if server.tls and taken.intersection(server.names):
            return
        self.servers.append(server)


def gateway_servers(world: World, proxy: Proxy) -> list[PortServers]:
    """Listening ports of a gateway proxy, in order of port and address; older gateways win conflicts."""
    ports: dict[tuple[int, str], PortServers] = {}
    instances = world.instances(proxy)
    for gateway in world.config.all(Gateway):
        for server, listen in _listening(gateway, proxy, instances):
            bind = server.bind or ANY_ADDRESS
            known = ports.setdefault((listen, bind), PortServers(listen, bind))
            known.add(GatewayServer(gateway, server, listen))
    return [ports[key] for key in sorted(ports)]


def server_names(names: Iterable[str]) -> list[str]:
    """TLS server names of hosts; empty: all."""
    every = list(names)
    return [] if CATCH_ALL in every else sorted(every)


def _listening(
    gateway: ConfigObject[Gateway], proxy: Proxy, instances: Iterable[Instance]
) -> Iterator[tuple[Server, int]]:
    """The servers that this proxy serves, each with the port that it listens on for them."""
    named = {n.strip() for n in gateway.annotations.get(SERVICES, "").split(",") if n.strip()}
    if named:
        own = [i for i in instances if _declared(i, named, gateway.namespace)]
    else:
        if any(proxy.labels.get(key) != value for key, value in gateway.spec.selector.items()):
            return
        own = [i for i in instances if i.service.labels.get(UNTRANSLATED) != "true"]
    for server in gateway.spec.servers:
        number = server.port.number if server.port else 0
        targets = {i.endpoint.port for i in own if _serves(i, number)}
        for target in sorted(targets) or ([] if named else [number]):
            yield server, target


def _declared(instance: Instance, named: set[str], namespace: str) -> bool:
    return instance.service.namespace == namespace and instance.service.hostname in named


def _serves(instance: Instance, port: int) -> bool:
    found = instance.service.port(port)
    return found is not None and found.name == instance.endpoint.service_port
