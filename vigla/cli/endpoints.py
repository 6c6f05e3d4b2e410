"""Where the roles of one process listen."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Addresses as bound, so that port 0 can be used."""

    query: str
    otlp_grpc: str
    otlp_http: str
    health: str
    xds: str = ""
    xds_tls: str = ""
