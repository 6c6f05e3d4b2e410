"""Where an agent listens."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class AgentPorts:
    """As bound, so that port 0 can be used."""

    otlp_grpc: int
    otlp_http: int
    jaeger_compact: int
    jaeger_binary: int
    sampling: int
