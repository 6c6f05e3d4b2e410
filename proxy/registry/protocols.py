"""The protocol of a port, from what its declaration says."""

from proxy.registry.model import Protocol

_BY_NAME = {
    "http": Protocol.HTTP,
    "http2": Protocol.HTTP2,
    "grpc": Protocol.GRPC,
    "grpc-web": Protocol.GRPC_WEB,
    "https": Protocol.HTTPS,
    "tls": Protocol.TLS,
    "tcp": Protocol.TCP,
    "mongo": Protocol.MONGO,
    "redis": Protocol.REDIS,
    "mysql": Protocol.MYSQL,
    "udp": Protocol.UDP,
}
_APPLICATION = {
    "kubernetes.io/h2c": Protocol.HTTP2,
    "kubernetes.io/ws": Protocol.HTTP,
    "kubernetes.io/wss": Protocol.HTTPS,
}


def protocol_named(name: str) -> Protocol:
    """The protocol of this name, in any case; ``AUTO`` where it is none."""
    return _BY_NAME.get(name.lower(), Protocol.AUTO)


def port_protocol(name: str, app_protocol: str = "", transport: str = "TCP") -> Protocol:
    """The protocol of a Kubernetes port: its ``appProtocol``, else its name ``<protocol>[-suffix]``."""
    if transport == "UDP":
        return Protocol.UDP
    if app_protocol:
        return _APPLICATION.get(app_protocol.lower(), protocol_named(app_protocol))
    lowered = name.lower()
    if lowered == "grpc-web" or lowered.startswith("grpc-web-"):
        return Protocol.GRPC_WEB
    return protocol_named(lowered.partition("-")[0])
